/** The first account of a local server. */
export interface FirstAccount {
  readonly url: string
  readonly handle: string
  readonly did: string
  readonly password: string
  readonly adminPassword: string
}

/** The handle and DID of a server's first account. */
export function firstAccount(options: {
  readonly publicUrl: string
  readonly adminPassword: string
  readonly handleDomains: string | undefined
}): FirstAccount

/** Creates an account as the administrator. */
export function createAccount(server: string, account: FirstAccount): Promise<void>
