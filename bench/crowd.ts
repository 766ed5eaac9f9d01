/** Fifty accounts that write at once, each in its own object. */
import { type BenchAccount, openAccount } from "./account.ts"
import type { Connection } from "./http.ts"
import { type Found, percentile, perSecond } from "./measure.ts"
import { type BenchServer, cpuOf } from "./server.ts"

const accounts = 50

/** A server where an administrator can sign people up. */
export interface Open {
  readonly url: string
  readonly account: { readonly did: string; readonly adminPassword?: string }
}

/** Signs somebody up with the administrator's password, and in. */
export const signUp = async (
  { url, account: { adminPassword } }: Open,
  client: Connection,
  nth: number
): Promise<BenchAccount> => {
  if (adminPassword === undefined) throw new Error(`${url} signs nobody up`)
  const account = { did: `did:web:person${nth}.test`, password: "a long password" }
  const { status, body } = await client.request("POST", "/xrpc/com.atproto.server.createAccount", {
    headers: {
      authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString("base64")}`,
      "content-type": "application/json"
    },
    body: JSON.stringify({
      ...account,
      handle: `person${nth}.test`,
      email: `${nth}@example.com`
    })
  })
  if (status !== 200) throw new Error(`createAccount: ${status} ${body}`)
  return openAccount({ url, account })
}

/** Posts per second of all accounts together, the slowest, and the CPU of each. */
export async function crowd(
  server: BenchServer,
  client: Connection,
  milliseconds: number
): Promise<Found> {
  const people: Array<BenchAccount> = []
  for (let nth = 0; nth < accounts; nth++) people.push(await signUp(server, client, nth))
  const samples: Array<number> = []
  const write = async (one: BenchAccount) => {
    const start = performance.now()
    await one.createRecord(one.client)
    samples.push(performance.now() - start)
  }
  await perSecond(people, milliseconds / 2, write)
  samples.length = 0
  const before = cpuOf(server.workerd)
  const rate = await perSecond(people, milliseconds, write)
  const cpu = (cpuOf(server.workerd) - before) / samples.length
  for (const { client: own } of people) own.close()
  return {
    crowd: rate,
    crowdP50: percentile(samples, 0.5),
    crowdP99: percentile(samples, 0.99),
    crowdCpu: cpu
  }
}
