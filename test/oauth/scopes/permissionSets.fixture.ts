import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { accountDidDocument } from "../../../src/core/identity/didDocument.ts"
import {
  formatDidKey,
  generatePrivateKey,
  publicKeyOf,
  signBytes
} from "../../../src/core/identity/didKey.ts"
import * as BackgroundMemory from "../../../src/layers/host/BackgroundMemory.ts"
import * as ConfigEnv from "../../../src/layers/host/ConfigEnv.ts"
import type { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import * as IdentityResolver from "../../../src/layers/identity/IdentityResolver.ts"
import * as OutgoingFetch from "../../../src/layers/host/OutgoingFetch.ts"
import * as PermissionSetsD1 from "../../../src/layers/oauth/PermissionSetsD1.ts"
import * as PlcMemory from "../../support/network/PlcMemory.ts"
import { carBytes } from "../../../src/core/repo/car.ts"
import { encode } from "../../../src/core/repo/cbor.ts"
import { cidForCbor } from "../../../src/core/repo/cid.ts"
import { signedCommit, unsignedCommitBytes } from "../../../src/core/repo/commit.ts"
import { recordFromJson } from "../../repo/recordFromJson.ts"
import { recordProof } from "../../../src/core/repo/mst/proof.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { PermissionSets } from "../../../src/services/oauth/PermissionSets.ts"
import { internet, type Routes, txt } from "../../identity/support.ts"
import { lexiconOf } from "./sets.ts"

const env = {
  MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
  PLC_ROTATION_KEY: "01".repeat(32),
  ADMIN_PASSWORD: "administrator-password"
}

export const nsid = "com.example.lexicons.authFull"
export const did = "did:web:lexicons.org"
export const pds = "https://pds.lexicons.org"
const secret = generatePrivateKey("k256")
const signingKey = formatDidKey(publicKeyOf("k256", secret))
export const collection = "com.atproto.lexicon.schema"

export const repoEntry = {
  type: "permission",
  resource: "repo",
  collection: ["com.example.lexicons.post"]
}
export const document = (title: string) => lexiconOf(nsid, { title, permissions: [repoEntry] })

/** The parts of a proof. */
export interface Proving {
  readonly record?: object | undefined
  readonly did?: string
  readonly secret?: Uint8Array
  readonly path?: string
  /** Omits a block, or swaps its bytes. */
  readonly tamper?: "tree" | "record" | "commit"
}

/** The response of the authority's PDS: the path to the record, or to where it would be. */
export const proof = ({
  record,
  did: of = did,
  secret: by = secret,
  path = `${collection}/${nsid}`,
  tamper
}: Proving): Response => {
  const other = encode({ $type: "com.example.other" })
  const bytes = record === undefined ? undefined : encode(recordFromJson(record))
  const entries: Array<[string, ReturnType<typeof cidForCbor>]> = [
    ["com.example.other/a", cidForCbor(other)],
    ["com.example.other/b", cidForCbor(other)]
  ]
  if (bytes !== undefined) entries.push([path, cidForCbor(bytes)])
  const tree = Tree.build(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const unsigned = { did: of, data: tree.root(), rev: "3jzfcijpj2z2a" }
  const sig = signBytes("k256", by, unsignedCommitBytes(unsigned))
  const commit = signedCommit({ ...unsigned, sig })
  const blocks = [
    ...(tamper === "commit" ? [] : [commit]),
    ...(tamper === "tree" ? [] : recordProof(tree, path)),
    ...(bytes === undefined || tamper === "record" ? [] : [{ cid: cidForCbor(bytes), bytes }])
  ]
  return new Response(carBytes(commit.cid, blocks).slice(), {
    headers: { "content-type": "application/vnd.ipld.car" }
  })
}

export const didDocument = (endpoint = pds) =>
  Response.json(accountDidDocument({ did, handle: "lexicons.org", signingKey, pds: endpoint }))

export const here = "https://pds.example.org"
export const doh = "https://dns.example.org/dns-query"
export const getRecord = `${pds}/xrpc/com.atproto.sync.getRecord`

/** A world in which the set can be found; its responses can change. */
export const world = (
  database: Layer.Layer<HostDatabase>,
  changes: Routes = {},
  forward: Accounts["Service"]["forward"] = () => Effect.die("nobody lives here")
) => {
  const answers: Record<string, Routes[string]> = {
    [doh]: (request) =>
      new URL(request.url).searchParams.get("name") === "_lexicon.lexicons.example.com"
        ? txt(`"did=${did}"`)
        : Response.json({ Status: 3 }),
    "https://lexicons.org/.well-known/did.json": () => didDocument(),
    [getRecord]: () => proof({ record: document("first") }),
    ...changes
  }
  const { asked, fetch } = internet(answers)
  const config = Layer.orDie(ConfigEnv.layer({ ...env, PUBLIC_URL: here, DOH_URL: doh }))
  const layer = PermissionSetsD1.layer.pipe(
    Layer.provide(IdentityResolver.layer({ dohUrl: doh })),
    Layer.provide(
      Layer.mergeAll(OutgoingFetch.layer({ fetch }), PlcMemory.layer, BackgroundMemory.layer)
    ),
    Layer.provide(
      Layer.succeed(Accounts, Accounts.of({ forward, call: () => Effect.die("not asked for") }))
    ),
    Layer.provideMerge(database),
    Layer.provide(config)
  )
  return {
    layer,
    asked: () => asked.filter((url) => url.startsWith(getRecord)).length,
    become: (url: string, answer: Routes[string]) => {
      answers[url] = answer
    },
    silent: (url: string) => asked.every((one) => !one.startsWith(url))
  }
}

export const get = (name = nsid) => Effect.flatMap(PermissionSets, (sets) => sets.get(name))
export const titleOf = Effect.map(get(), ({ title }) => title)
export const reasonOf = (name = nsid) => Effect.map(Effect.flip(get(name)), ({ reason }) => reason)
export const unreachable = () => new Response("", { status: 502 })
