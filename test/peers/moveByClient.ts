import type { AtpAgent } from "@atproto/api"

/** A signed-in session at a server, with access to its mailed codes. */
export interface Side {
  readonly agent: AtpAgent
  code(ask: () => Promise<unknown>): Promise<string>
}

/** Creates the account at the new server, deactivated, with a token that the old one signs. */
export const arrive = async (
  from: AtpAgent,
  to: AtpAgent,
  account: { readonly handle: string; readonly email: string; readonly password: string }
) => {
  const did = from.assertDid
  const { data: host } = await to.com.atproto.server.describeServer()
  const { data } = await from.com.atproto.server.getServiceAuth({
    aud: host.did,
    lxm: "com.atproto.server.createAccount"
  })
  await to.com.atproto.server.createAccount(
    { ...account, did: did as `did:plc:${string}` },
    { headers: { authorization: `Bearer ${data.token}` }, encoding: "application/json" }
  )
  await to.login({ identifier: did, password: account.password })
}

/** Copies repo, blobs and preferences. */
export const transfer = async (from: AtpAgent, to: AtpAgent) => {
  const did = from.assertDid
  const repo = await from.com.atproto.sync.getRepo({ did })
  await to.com.atproto.repo.importRepo(repo.data, { encoding: "application/vnd.ipld.car" })
  let cursor: string | undefined
  do {
    const { data } = await to.com.atproto.repo.listMissingBlobs({
      limit: 2,
      ...(cursor === undefined ? {} : { cursor })
    })
    for (const { cid } of data.blobs) {
      const blob = await from.com.atproto.sync.getBlob({ did, cid })
      await to.com.atproto.repo.uploadBlob(blob.data, {
        encoding: blob.headers["content-type"] ?? "application/octet-stream"
      })
    }
    cursor = data.cursor
  } while (cursor !== undefined)
  const { data } = await from.app.bsky.actor.getPreferences()
  await to.app.bsky.actor.putPreferences(data)
}

/** Points the DID to the new server, and switches the account over. */
export const switchOver = async (from: Side, to: AtpAgent) => {
  const { data: wanted } = await to.com.atproto.identity.getRecommendedDidCredentials()
  const token = await from.code(() =>
    from.agent.com.atproto.identity.requestPlcOperationSignature()
  )
  const { data } = await from.agent.com.atproto.identity.signPlcOperation({ token, ...wanted })
  await to.com.atproto.identity.submitPlcOperation({ operation: data.operation })
  await to.com.atproto.server.activateAccount()
  await from.agent.com.atproto.server.deactivateAccount({})
}
