/** The account that a local server begins with. */
export interface FirstAccount {
  readonly url: string
  readonly handle: string
  readonly did: string
  readonly password: string
  readonly adminPassword: string
}

/** What the first account of a server is called. */
export function firstAccount(options: {
  readonly publicUrl: string
  readonly adminPassword: string
  readonly handleDomains: string | undefined
}): FirstAccount

/** Makes an account with the administrator's authority. */
export function createAccount(server: string, account: FirstAccount): Promise<void>
