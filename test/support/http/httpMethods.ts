import { accountMethods, hostMethods } from "../../../src/http/methods.ts"
import { codeFor, newcomer } from "./httpCodes.ts"
import { adminPassword, type Asked, basic, bearer } from "./httpHost.ts"
import {
  firstRkey,
  ok,
  type Person,
  png,
  post,
  session,
  signUp,
  tidOf,
  type World
} from "./httpWorld.ts"

/** Every method of the server, from its tables. */
export const allMethods: ReadonlyArray<string> = [
  ...new Set([...hostMethods.keys(), ...accountMethods.keys()])
].toSorted()

/** The caller that a method requires. */
export type Needed = "nobody" | "owner" | "refresh" | "admin"

/** A method, and a valid call of it about one person. */
export interface Sample {
  readonly needs: Needed
  /** The call without credentials, about the given person. */
  readonly make: (world: World, who: Person) => Asked | Promise<Asked>
  /** The person for whom the call is valid, if it isn't everybody. */
  readonly about?: (world: World) => Promise<Person>
}

const owner = (make: Sample["make"]): Sample => ({ needs: "owner", make })
const open = (make: Sample["make"]): Sample => ({ needs: "nobody", make })

const byAdmin = (make: Sample["make"]): Sample => ({ needs: "admin", make })

const plcPeople = new WeakMap<World, Promise<Person>>()

/** A person with a did:plc, the same for each world. */
const plcPerson = (world: World): Promise<Person> => {
  const known = plcPeople.get(world) ?? signUp(world, `plc-${world.next()}`, "plc")
  plcPeople.set(world, known)
  return known
}

const plcOwner = (make: Sample["make"]): Sample => ({ needs: "owner", make, about: plcPerson })

const collection = "app.bsky.feed.post"

const record = (who: Person) => ({ repo: who.did, collection, rkey: firstRkey })

/** Creates a post; returns its key. */
const newPost = async (world: World, who: Person): Promise<string> => {
  const input = { repo: who.did, collection, record: post(`post ${world.next()}`) }
  const made = ok(await world.call("com.atproto.repo.createRecord", { auth: who.auth, input }))
  return made["uri"].split("/").at(-1)
}

const inviteCode = async (world: World): Promise<string> => {
  const nsid = "com.atproto.server.createInviteCode"
  return ok(await world.call(nsid, { auth: basic(), input: { useCount: 1 } }))["code"]
}

/** An operation that doesn't change the DID, signed by the host. */
const signedOperation = async (world: World, who: Person): Promise<unknown> => {
  const input = { token: await codeFor(world, who.did, "plc_operation") }
  const nsid = "com.atproto.identity.signPlcOperation"
  return ok(await world.call(nsid, { auth: who.auth, input }))["operation"]
}

/** A valid call of every method; a test checks that none is missing. */
export const samples: Readonly<Record<string, Sample>> = {
  "app.bsky.actor.getPreferences": owner(() => ({})),
  "app.bsky.actor.putPreferences": owner(() => ({
    input: { preferences: [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: false }] }
  })),
  "com.atproto.admin.deleteAccount": byAdmin(async (world) => {
    const { did } = await newcomer(world, `deleted-${world.next()}`)
    return { input: { did } }
  }),
  "com.atproto.admin.disableAccountInvites": byAdmin((_, who) => ({
    input: { account: who.did }
  })),
  "com.atproto.admin.disableInviteCodes": byAdmin(async (world) => ({
    input: { codes: [await inviteCode(world)] }
  })),
  "com.atproto.admin.enableAccountInvites": byAdmin((_, who) => ({ input: { account: who.did } })),
  "com.atproto.admin.getAccountInfo": byAdmin((_, who) => ({ params: { did: who.did } })),
  "com.atproto.admin.getAccountInfos": byAdmin((_, who) => ({ params: { dids: [who.did] } })),
  "com.atproto.admin.getInviteCodes": byAdmin(() => ({})),
  "com.atproto.admin.getSubjectStatus": byAdmin((_, who) => ({ params: { did: who.did } })),
  "com.atproto.admin.searchAccounts": byAdmin(() => ({ params: { email: "mail.example" } })),
  "com.atproto.admin.sendEmail": byAdmin((_, who) => ({
    input: { recipientDid: who.did, senderDid: who.did, content: "A word to you." }
  })),
  "com.atproto.admin.updateAccountEmail": byAdmin((_, who) => ({
    input: { account: who.did, email: who.email }
  })),
  "com.atproto.admin.updateAccountHandle": byAdmin((_, who) => ({
    input: { did: who.did, handle: who.handle }
  })),
  // A new password ends the sessions that other calls use.
  "com.atproto.admin.updateAccountPassword": byAdmin(async (world) => {
    const { did } = await newcomer(world, `reset-${world.next()}`)
    return { input: { did, password: "yet another password" } }
  }),
  "com.atproto.admin.updateAccountSigningKey": byAdmin(async (world, { did }) => {
    const nsid = "com.atproto.server.reserveSigningKey"
    const { signingKey } = ok(await world.call(nsid, { input: { did } }))
    return { input: { did, signingKey } }
  }),
  "com.atproto.admin.updateSubjectStatus": byAdmin((_, who) => ({
    input: { subject: { $type: "com.atproto.admin.defs#repoRef", did: who.did } }
  })),
  "com.atproto.identity.getRecommendedDidCredentials": owner(() => ({})),
  "com.atproto.identity.refreshIdentity": open((_, who) => ({ input: { identifier: who.did } })),
  "com.atproto.identity.requestPlcOperationSignature": plcOwner(() => ({ method: "POST" })),
  "com.atproto.identity.resolveDid": open((_, who) => ({ params: { did: who.did } })),
  "com.atproto.identity.resolveHandle": open((_, who) => ({ params: { handle: who.handle } })),
  "com.atproto.identity.resolveIdentity": open((_, who) => ({
    params: { identifier: who.handle }
  })),
  "com.atproto.identity.signPlcOperation": plcOwner(async (world, who) => ({
    input: { token: await codeFor(world, who.did, "plc_operation") }
  })),
  "com.atproto.identity.submitPlcOperation": plcOwner(async (world, who) => ({
    input: { operation: who.did.startsWith("did:plc:") ? await signedOperation(world, who) : {} }
  })),
  "com.atproto.identity.updateHandle": owner((_, who) => ({ input: { handle: who.handle } })),
  "com.atproto.repo.applyWrites": owner((world, who) => {
    const [kept, gone] = [tidOf(world.next()), tidOf(world.next())]
    const write = (action: string, rkey: string, value?: object) => ({
      $type: `com.atproto.repo.applyWrites#${action}`,
      collection,
      rkey,
      ...(value === undefined ? {} : { value })
    })
    const writes = [
      write("create", kept, post()),
      write("create", gone, post()),
      write("update", kept, post("better")),
      write("delete", gone)
    ]
    return { input: { repo: who.did, writes } }
  }),
  "com.atproto.repo.createRecord": owner((_, who) => ({
    input: { repo: who.did, collection, record: post() }
  })),
  "com.atproto.repo.deleteRecord": owner(async (world, who) => ({
    // A person who can't write has no post with that key, and can't delete it either.
    input: {
      repo: who.did,
      collection,
      rkey: who === world.alice ? await newPost(world, who) : "a"
    }
  })),
  "com.atproto.repo.describeRepo": open((_, who) => ({ params: { repo: who.did } })),
  "com.atproto.repo.getRecord": open((_, who) => ({ params: record(who) })),
  // The person's own repo, so rejected imports change nothing.
  "com.atproto.repo.importRepo": owner(async (world, who) => {
    const params = { did: who.did }
    const { bytes } = await world.call("com.atproto.sync.getRepo", { params, auth: who.auth })
    return {
      body: bytes as Uint8Array<ArrayBuffer>,
      headers: { "content-type": "application/vnd.ipld.car" }
    }
  }),
  "com.atproto.repo.listMissingBlobs": owner(() => ({})),
  "com.atproto.repo.listRecords": open((_, who) => ({ params: { repo: who.did, collection } })),
  "com.atproto.repo.putRecord": owner((world, who) => ({
    input: { repo: who.did, collection, rkey: tidOf(7), record: post(`${world.next()}`) }
  })),
  "com.atproto.repo.uploadBlob": owner((world) => ({
    body: png(`upload ${world.next()}`) as Uint8Array<ArrayBuffer>,
    headers: { "content-type": "image/png" }
  })),
  "com.atproto.server.activateAccount": owner(() => ({ method: "POST" })),
  "com.atproto.server.checkAccountStatus": owner(() => ({})),
  "com.atproto.server.confirmEmail": owner(async (world, who) => ({
    input: { email: who.email, token: await codeFor(world, who.did, "confirm_email") }
  })),
  "com.atproto.server.createAccount": open(async (world) => {
    const name = `new-${world.next()}`
    const email = `${name}@mail.example.com`
    const code = await inviteCode(world)
    return {
      input: { handle: `${name}.test`, email, password: "a good password", inviteCode: code }
    }
  }),
  "com.atproto.server.createAppPassword": owner((world) => ({
    input: { name: `app ${world.next()}` }
  })),
  "com.atproto.server.createInviteCode": {
    needs: "admin",
    make: () => ({ input: { useCount: 1 } })
  },
  "com.atproto.server.createInviteCodes": {
    needs: "admin",
    make: (_, who) => ({ input: { codeCount: 2, useCount: 1, forAccounts: [who.did] } })
  },
  "com.atproto.server.createSession": open((_, who) => ({
    input: { identifier: who.handle, password: who.password }
  })),
  "com.atproto.server.deactivateAccount": owner(() => ({ input: {} })),
  // Deletes a person whom no other call uses.
  "com.atproto.server.deleteAccount": open(async (world) => {
    const { did, password } = await newcomer(world, `gone-${world.next()}`)
    return { input: { did, password, token: await codeFor(world, did, "delete_account") } }
  }),
  "com.atproto.server.deleteSession": { needs: "refresh", make: () => ({ method: "POST" }) },
  "com.atproto.server.describeServer": open(() => ({})),
  "com.atproto.server.getAccountInviteCodes": owner(() => ({})),
  "com.atproto.server.getServiceAuth": owner(() => ({
    params: { aud: "did:web:elsewhere.com", lxm: "com.atproto.repo.uploadBlob" }
  })),
  "com.atproto.server.getSession": owner(() => ({})),
  "com.atproto.server.listAppPasswords": owner(() => ({})),
  "com.atproto.server.refreshSession": { needs: "refresh", make: () => ({ method: "POST" }) },
  "com.atproto.server.requestAccountDelete": owner(() => ({ method: "POST" })),
  "com.atproto.server.requestEmailConfirmation": owner(() => ({ method: "POST" })),
  "com.atproto.server.requestEmailUpdate": owner(() => ({ method: "POST" })),
  "com.atproto.server.requestPasswordReset": open((_, who) => ({ input: { email: who.email } })),
  "com.atproto.server.reserveSigningKey": open((_, who) => ({ input: { did: who.did } })),
  "com.atproto.server.resetPassword": open(async (world) => {
    const { did } = await newcomer(world, `forgot-${world.next()}`)
    const token = await codeFor(world, did, "reset_password")
    return { input: { token, password: "another good password" } }
  }),
  "com.atproto.server.revokeAppPassword": owner(() => ({ input: { name: "nobody's" } })),
  "com.atproto.server.updateEmail": owner(async (world, who) => ({
    input: { email: who.email, token: await codeFor(world, who.did, "update_email") }
  })),
  "com.atproto.sync.getBlob": open((_, who) => ({ params: { did: who.did, cid: who.avatar } })),
  "com.atproto.sync.getBlocks": open((_, who) => ({ params: { did: who.did, cids: [who.post] } })),
  "com.atproto.sync.getCheckout": open((_, who) => ({ params: { did: who.did } })),
  "com.atproto.sync.getHead": open((_, who) => ({ params: { did: who.did } })),
  "com.atproto.sync.getLatestCommit": open((_, who) => ({ params: { did: who.did } })),
  "com.atproto.sync.getRecord": open((_, who) => ({
    params: { did: who.did, collection, rkey: firstRkey }
  })),
  "com.atproto.sync.getRepo": open((_, who) => ({ params: { did: who.did } })),
  "com.atproto.sync.getRepoStatus": open((_, who) => ({ params: { did: who.did } })),
  "com.atproto.sync.listBlobs": open((_, who) => ({ params: { did: who.did } })),
  "com.atproto.sync.listRepos": open(() => ({})),
  "com.atproto.sync.listReposByCollection": open(() => ({ params: { collection } })),
  // Without an upgrade, a subscription responds with 426.
  "com.atproto.sync.subscribeRepos": open(() => ({})),
  "com.atproto.temp.checkHandleAvailability": open((_, who) => ({
    params: { handle: who.handle }
  })),
  "com.atproto.temp.checkSignupQueue": open(() => ({}))
}

/** The credentials that a valid call requires. */
export const credentialFor = async (
  world: World,
  nsid: string,
  who: Person
): Promise<string | undefined> => {
  switch (samples[nsid]!.needs) {
    case "nobody":
      return undefined
    case "owner":
      return who.auth
    case "admin":
      return basic(adminPassword)
    case "refresh":
      return bearer((await session(world, who.did, "full")).refreshJwt)
  }
}

/** A valid call of a method about a person, with the required credentials. */
export const goodCall = async (world: World, nsid: string, named?: Person): Promise<Asked> => {
  const { about, make } = samples[nsid]!
  const who = named ?? (await about?.(world)) ?? world.alice
  return { ...(await make(world, who)), auth: await credentialFor(world, nsid, who) }
}
