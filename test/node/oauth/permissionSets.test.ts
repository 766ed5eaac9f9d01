import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { accountDidDocument } from "../../../src/identity/didDocument.ts"
import {
  formatDidKey,
  generatePrivateKey,
  publicKeyOf,
  signBytes
} from "../../../src/identity/didKey.ts"
import * as BackgroundMemory from "../../../src/layers/BackgroundMemory.ts"
import * as ConfigEnv from "../../../src/layers/ConfigEnv.ts"
import { HostDatabase } from "../../../src/layers/HostDatabase.ts"
import * as HostDatabaseNode from "../../../src/layers/HostDatabaseNode.ts"
import * as IdentityResolver from "../../../src/layers/IdentityResolver.ts"
import * as OutgoingFetch from "../../../src/layers/OutgoingFetch.ts"
import * as PermissionSetsSql from "../../../src/layers/PermissionSetsSql.ts"
import * as PlcMemory from "../../../src/layers/PlcMemory.ts"
import { readPermissionSet, textIn } from "../../../src/oauth/permissionSet.ts"
import { carBytes } from "../../../src/repo/car.ts"
import { encode } from "../../../src/repo/cbor.ts"
import { cidForCbor } from "../../../src/repo/cid.ts"
import { signedCommit, unsignedCommitBytes } from "../../../src/repo/commit.ts"
import { recordFromJson } from "../../../src/repo/json.ts"
import { recordProof } from "../../../src/repo/mst/proof.ts"
import { Tree } from "../../../src/repo/mst/Tree.ts"
import { Accounts, Rejected } from "../../../src/services/Accounts.ts"
import { PermissionSets } from "../../../src/services/PermissionSets.ts"
import { internet, type Routes, silence, txt } from "../identity/support.ts"
import { testEnv } from "../../support/repoWorld.ts"
import { lexiconOf } from "./sets.ts"

const nsid = "com.example.lexicons.authFull"
const did = "did:web:lexicons.org"
const pds = "https://pds.lexicons.org"
const secret = generatePrivateKey("k256")
const signingKey = formatDidKey(publicKeyOf("k256", secret))
const collection = "com.atproto.lexicon.schema"

const repoEntry = {
  type: "permission",
  resource: "repo",
  collection: ["com.example.lexicons.post"]
}
const document = (title: string) => lexiconOf(nsid, { title, permissions: [repoEntry] })

interface Proving {
  readonly record?: object | undefined
  readonly did?: string
  readonly secret?: Uint8Array
  readonly path?: string
  /** Leaves a block out, or swaps its bytes. */
  readonly tamper?: "tree" | "record" | "commit"
}

/** What the authority's PDS answers: the way to the record, or to where it would be. */
const proof = ({
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

const didDocument = (endpoint = pds) =>
  Response.json(accountDidDocument({ did, handle: "lexicons.org", signingKey, pds: endpoint }))

const here = "https://pds.example.org"
const doh = "https://dns.example.org/dns-query"
const getRecord = `${pds}/xrpc/com.atproto.sync.getRecord`

/** A world in which the set is found; what its parts answer can change. */
const world = (
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
  const config = Layer.orDie(ConfigEnv.layer({ ...testEnv, PUBLIC_URL: here, DOH_URL: doh }))
  const layer = PermissionSetsSql.layer.pipe(
    Layer.provide(IdentityResolver.layer({ dohUrl: doh })),
    Layer.provide(
      Layer.mergeAll(OutgoingFetch.layer({ fetch }), PlcMemory.layer, BackgroundMemory.layer)
    ),
    Layer.provide(
      Layer.succeed(Accounts, Accounts.of({ forward, call: () => Effect.die("not asked for") }))
    ),
    Layer.provideMerge(HostDatabaseNode.layer(":memory:")),
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

const get = (name = nsid) => Effect.flatMap(PermissionSets, (sets) => sets.get(name))
const titleOf = Effect.map(get(), ({ title }) => title)
const reasonOf = (name = nsid) => Effect.map(Effect.flip(get(name)), ({ reason }) => reason)
const unreachable = () => new Response("", { status: 502 })

describe("a permission set", () => {
  it.effect("is found by DNS, DID document and a signed record", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* get(), { nsid, title: "first", permissions: [repoEntry] })
    }).pipe(Effect.provide(layer))
  })

  it.effect("is asked for again after a day, not before", () => {
    const { asked, become, layer } = world()
    return Effect.gen(function* () {
      assert.strictEqual(yield* titleOf, "first")
      become(getRecord, () => proof({ record: document("second") }))
      yield* TestClock.adjust("23 hours")
      assert.strictEqual(yield* titleOf, "first")
      assert.strictEqual(asked(), 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* titleOf, "second")
      assert.strictEqual(yield* titleOf, "second")
      assert.strictEqual(asked(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is good for 90 days while its authority cannot be reached", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      assert.strictEqual(yield* titleOf, "first")
      become(getRecord, unreachable)
      yield* TestClock.adjust("89 days")
      assert.strictEqual(yield* titleOf, "first")
      yield* TestClock.adjust("1 day")
      assert.strictEqual(yield* reasonOf(), "its server does not answer")
      become(getRecord, () => proof({ record: document("back") }))
      assert.strictEqual(yield* titleOf, "back")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not asked for twice in a quarter of an hour while nobody answers", () => {
    const { asked, become, layer } = world()
    return Effect.gen(function* () {
      yield* titleOf
      become(getRecord, unreachable)
      yield* TestClock.adjust("2 days")
      yield* Effect.all([titleOf, titleOf, titleOf], { concurrency: "unbounded" })
      assert.strictEqual(asked(), 2)
      yield* TestClock.adjust("14 minutes")
      assert.strictEqual(yield* titleOf, "first")
      assert.strictEqual(asked(), 2)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* titleOf, "first")
      assert.strictEqual(asked(), 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is gone when its authority proves that it is", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      yield* titleOf
      become(getRecord, () => proof({}))
      yield* TestClock.adjust("1 day")
      assert.strictEqual(yield* reasonOf(), "there is no such lexicon")
      become(getRecord, unreachable)
      assert.strictEqual(yield* reasonOf(), "its server does not answer")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not gone because a server says so without a proof", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      yield* titleOf
      become(getRecord, () => Response.json({ error: "RecordNotFound" }, { status: 400 }))
      yield* TestClock.adjust("1 day")
      assert.strictEqual(yield* titleOf, "first")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is none when the lexicon is of another kind or another's", () => {
    const { become, layer } = world()
    const others = [
      lexiconOf("com.example.lexicons.authOther", { permissions: [] }),
      { lexicon: 1, id: nsid, defs: { main: { type: "object" } } },
      { lexicon: 1, id: nsid, defs: {} },
      { lexicon: 2, id: nsid, defs: { main: { type: "permission-set", permissions: [] } } },
      { lexicon: 1, id: nsid, defs: { main: { type: "permission-set" } } },
      { id: nsid }
    ]
    return Effect.gen(function* () {
      for (const record of others) {
        become(getRecord, () => proof({ record }))
        assert.strictEqual(yield* reasonOf(), "the lexicon is not a permission set")
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("is still found when nothing can be stored", () => {
    const { asked, layer } = world()
    return Effect.gen(function* () {
      const { sql } = yield* HostDatabase
      // A table of this name that is another: every query of it fails.
      yield* sql`CREATE TABLE permission_set (x)`
      assert.strictEqual(yield* titleOf, "first")
      assert.strictEqual(yield* titleOf, "first")
      assert.strictEqual(asked(), 2)
    }).pipe(Effect.provide(layer))
  })
})

describe("the proof of a permission set", () => {
  const record = document("forged")
  const forgeries: Readonly<Record<string, Proving>> = {
    "of another account": { record, did: "did:web:other.org" },
    "signed by another key": { record, secret: generatePrivateKey("k256") },
    "without the commit": { record, tamper: "commit" },
    "without the way through the tree": { record, tamper: "tree" },
    "without the record": { record, tamper: "record" },
    "of absence, without the way to it": { tamper: "tree" }
  }
  for (const [name, forged] of Object.entries(forgeries)) {
    it.effect(`is refused when it is one ${name}`, () => {
      const { become, layer } = world()
      return Effect.gen(function* () {
        become(getRecord, () => proof(forged))
        assert.strictEqual(yield* reasonOf(), "its proof is not valid")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("of another record proves that this one is not there", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      become(getRecord, () => proof({ record, path: `${collection}/${nsid}2` }))
      // The way to the one is the way to where the other would be, in a tree of one node.
      assert.strictEqual(yield* reasonOf(), "there is no such lexicon")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is refused when a byte of it was changed, or it is no CAR, or too large", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      const bytes = new Uint8Array(yield* Effect.promise(() => proof({ record }).arrayBuffer()))
      const changed = bytes.slice()
      changed[changed.length - 20]! ^= 1
      become(getRecord, () => new Response(changed))
      assert.strictEqual(yield* reasonOf(), "its proof is not valid")
      become(getRecord, () => new Response("hello"))
      assert.strictEqual(yield* reasonOf(), "its proof is not valid")
      become(getRecord, () => new Response(new Uint8Array(256 * 1024 + 1)))
      assert.strictEqual(yield* reasonOf(), "its server does not answer")
    }).pipe(Effect.provide(layer))
  })
})

describe("the authority of a permission set", () => {
  it.effect("is the one of its domain, and of none above it", () => {
    const { layer, asked } = world()
    return Effect.gen(function* () {
      assert.strictEqual(
        yield* reasonOf("com.example.lexicons.deeper.authFull"),
        "_lexicon.deeper.lexicons.example.com names no DID"
      )
      assert.strictEqual(
        yield* reasonOf("com.example.authFull"),
        "_lexicon.example.com names no DID"
      )
      assert.strictEqual(asked(), 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("must be one, in DNS that answers, with a server and a key", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      become(doh, () => txt(`"did=${did}"`, '"did=did:web:other.org"'))
      assert.strictEqual(yield* reasonOf(), "_lexicon.lexicons.example.com names several DIDs")
      become(doh, unreachable)
      assert.strictEqual(
        yield* reasonOf(),
        "DNS could not be asked for _lexicon.lexicons.example.com"
      )
      become(doh, () => txt('"did=did:web:nobody.org"'))
      assert.strictEqual(yield* reasonOf(), "did:web:nobody.org has no document")
      become(doh, () => txt(`"did=${did}"`))
      become("https://lexicons.org/.well-known/did.json", () => Response.json({ id: did }))
      assert.strictEqual(yield* reasonOf(), `${did} names no server or no key`)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not looked for where names are never public", () => {
    const { layer, silent } = world()
    return Effect.gen(function* () {
      assert.strictEqual(
        yield* reasonOf("localhost.internal.authFull"),
        "internal.localhost is not a public name"
      )
      assert.isTrue(silent(doh))
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not waited for longer than 5 seconds", () => {
    const { become, layer } = world()
    return Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      become(getRecord, () => {
        Deferred.doneUnsafe(reached, Effect.void)
        return silence()
      })
      const answer = yield* Effect.forkChild(reasonOf())
      yield* Deferred.await(reached)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Fiber.join(answer), "its server does not answer")
    }).pipe(Effect.provide(layer))
  })

  it.effect("that lives on this server is asked without the network", () => {
    const seen: Array<string> = []
    const { layer, asked } = world(
      { "https://lexicons.org/.well-known/did.json": () => didDocument(here) },
      (of, request) => {
        seen.push(of, request.url)
        return Effect.succeed(Response.json({ value: document("local") }))
      }
    )
    return Effect.gen(function* () {
      assert.strictEqual(yield* titleOf, "local")
      assert.deepStrictEqual(seen, [
        did,
        `${here}/xrpc/com.atproto.repo.getRecord?repo=did%3Aweb%3Alexicons.org&collection=${collection}&rkey=${nsid}`
      ])
      assert.strictEqual(asked(), 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that lives on this server says what is not there, or cannot answer", () => {
    let answer: Effect.Effect<Response, Rejected> = Effect.succeed(
      Response.json({ error: "RecordNotFound", message: "" }, { status: 400 })
    )
    const { layer } = world(
      { "https://lexicons.org/.well-known/did.json": () => didDocument(`${here}/`) },
      () => answer
    )
    return Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(), "there is no such lexicon")
      answer = Effect.succeed(Response.json({ error: "RepoDeactivated" }, { status: 400 }))
      assert.strictEqual(yield* reasonOf(), "its account here does not answer")
      answer = Effect.fail(new Rejected({ status: 503, error: "ServiceUnavailable", message: "" }))
      assert.strictEqual(yield* reasonOf(), "its account here does not answer")
    }).pipe(Effect.provide(layer))
  })
})

const read = (main: Readonly<Record<string, unknown>>) =>
  readPermissionSet(nsid, lexiconOf(nsid, { permissions: [], ...main }))

describe("the words of a permission set", () => {
  it("are in the first language that there are words for", () => {
    const set = read({
      title: "Full access",
      "title:lang": { de: "Voller Zugriff", "pt-BR": "Acesso total", pt: "Acesso completo" }
    })
    const title = (...languages: ReadonlyArray<string>) =>
      textIn(languages, set?.titles, set?.title)
    assert.strictEqual(title("de-AT", "pt"), "Voller Zugriff")
    assert.strictEqual(title("PT-br"), "Acesso total")
    assert.strictEqual(title("pt-PT"), "Acesso completo")
    assert.strictEqual(title("fr", "de"), "Voller Zugriff")
    assert.strictEqual(title("fr"), "Full access")
    assert.strictEqual(title("constructor"), "Full access")
    assert.strictEqual(title(), "Full access")
  })

  it("are short, on one line, and run in one direction", () => {
    const set = read({ title: "a\nb\u202Ec\u2066d\u0000", detail: "x".repeat(1000) })
    assert.strictEqual(set?.title, "a b c d")
    assert.strictEqual(set?.detail, "x".repeat(500))
    assert.strictEqual(read({ title: "t".repeat(1000) })?.title, "t".repeat(100))
  })

  it("are left out where they are none", () => {
    assert.deepStrictEqual(
      read({ title: 7, "title:lang": "no", detail: " ", "detail:lang": { de: 7 } }),
      {
        nsid,
        permissions: []
      }
    )
  })
})
