import { assert } from "@effect/vitest"
import type { Host } from "./httpHost.ts"

/** The JSON kind of a Go field: encoding/json fails on any other, but ignores null and absence. */
type Kind = "string" | "int" | "bool" | Shape | readonly [Kind]

interface Shape {
  readonly [field: string]: Kind
}

/** Decodes JSON as Go does into a struct of this shape; goat requires the fields in `must`. */
export const decode = (
  value: unknown,
  kind: Kind,
  must: ReadonlyArray<string> = [],
  at = "answer"
): void => {
  if (value === undefined || value === null) return
  if (kind === "string" || kind === "bool") {
    assert.strictEqual(typeof value, kind === "bool" ? "boolean" : "string", at)
  } else if (kind === "int") {
    assert.isTrue(Number.isSafeInteger(value), `${at} ${String(value)}`)
  } else if (Array.isArray(kind)) {
    assert.isTrue(Array.isArray(value), at)
    for (const each of value as ReadonlyArray<unknown>) decode(each, kind[0], [], at)
  } else {
    assert.isTrue(typeof value === "object" && !Array.isArray(value), at)
    const object = value as Readonly<Record<string, unknown>>
    for (const [field, inner] of Object.entries(kind)) {
      decode(object[field], inner, [], `${at}.${field}`)
    }
    for (const field of must) assert.isNotNull(object[field] ?? null, `${at}.${field}`)
  }
}

/** A response as indigo's client returns it. */
export interface GoAnswer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of every shape
  readonly json: any
}

/** A session in goat's file. */
export interface GoSession {
  access: string
  refresh: string
}

type Auth = { readonly basic: string } | GoSession | undefined

interface Sent {
  readonly params?: Readonly<Record<string, string | number | boolean>>
  /** Sent as JSON. */
  readonly input?: object
  /** Sent unchanged, with this content type. */
  readonly body?: Uint8Array
  readonly type?: string
  readonly accept?: "application/json"
}

const headerOf = (auth: Auth): Record<string, string> => {
  if (auth === undefined) return {}
  return "basic" in auth
    ? { authorization: `Basic ${btoa(`admin:${auth.basic}`)}` }
    : { authorization: `Bearer ${auth.access}` }
}

/** The query as Go's url.Values encodes it: sorted by name, spaces as plus. */
const queryOf = (params: Sent["params"] = {}): string => {
  const names = Object.keys(params).toSorted()
  const query = new URLSearchParams(names.map((name) => [name, String(params[name])]))
  return query.size === 0 ? "" : `?${query.toString()}`
}

/**
 * Sends the requests of goat's client, indigo's `atclient`, with the headers of Go's HTTP client.
 *
 * After `ExpiredToken` with a 400, it refreshes the session and sends the request again.
 */
export const goat = (host: Pick<Host, "handler">, origin = "http://localhost:8787") => {
  const exchange = async (method: string, nsid: string, sent: Sent, auth: Auth) => {
    const body = sent.input === undefined ? sent.body : Buffer.from(JSON.stringify(sent.input))
    const type = sent.input === undefined ? sent.type : "application/json"
    const response = await host.handler(
      new Request(`${origin}/xrpc/${nsid}${queryOf(sent.params)}`, {
        method,
        headers: {
          "user-agent": "goat/devel",
          "accept-encoding": "gzip",
          ...(sent.accept === undefined ? {} : { accept: sent.accept }),
          ...(type === undefined ? {} : { "content-type": type }),
          ...(method === "POST" ? { "content-length": String(body?.byteLength ?? 0) } : {}),
          ...headerOf(auth)
        },
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> })
      })
    )
    const bytes = new Uint8Array(await response.arrayBuffer())
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true
    const json = isJson ? JSON.parse(new TextDecoder().decode(bytes)) : undefined
    const length = response.headers.get("content-length")
    // Go reads exactly the announced length, and fails if fewer bytes arrive.
    if (length !== null) assert.strictEqual(bytes.byteLength, Number(length), nsid)
    return { status: response.status, headers: response.headers, bytes, json } satisfies GoAnswer
  }

  const refresh = async (session: GoSession) => {
    const answer = await exchange(
      "POST",
      "com.atproto.server.refreshSession",
      {},
      {
        access: session.refresh,
        refresh: ""
      }
    )
    assert.strictEqual(answer.status, 200)
    decode(answer.json, sessionShape, ["accessJwt", "refreshJwt", "did"])
    session.access = answer.json.accessJwt
    session.refresh = answer.json.refreshJwt
  }

  const attempt = async (method: string, nsid: string, sent: Sent = {}, auth?: Auth) => {
    const answer = await exchange(method, nsid, sent, auth)
    const isOver = answer.status === 400 && answer.json?.error === "ExpiredToken"
    if (!isOver || auth === undefined || "basic" in auth) return answer
    await refresh(auth)
    return exchange(method, nsid, sent, auth)
  }

  const send = async (method: string, nsid: string, sent?: Sent, auth?: Auth) => {
    const answer = await attempt(method, nsid, sent, auth)
    const isGood = answer.status >= 200 && answer.status < 300
    if (!isGood) throw new Error(`${nsid}: ${answer.status} ${JSON.stringify(answer.json)}`)
    return answer
  }

  /** `goat account login`: `LoginWithPasswordHost`. */
  const login = async (identifier: string, password: string): Promise<GoSession> => {
    const input = { identifier, password }
    const sent = { input, accept: "application/json" } as const
    const { json } = await send("POST", "com.atproto.server.createSession", sent)
    decode(json, sessionShape, ["accessJwt", "refreshJwt", "did"])
    // It reads an inactive account's status without checking that it exists.
    if (json.active === false) assert.isString(json.status)
    return { access: json.accessJwt, refresh: json.refreshJwt }
  }

  return { attempt, send, login }
}

const sessionShape = {
  accessJwt: "string",
  active: "bool",
  did: "string",
  refreshJwt: "string",
  status: "string"
} as const

const code = {
  available: "int",
  code: "string",
  createdAt: "string",
  createdBy: "string",
  disabled: "bool",
  forAccount: "string",
  uses: [{ usedAt: "string", usedBy: "string" }]
} as const

/** The structs into which goat decodes responses, by method. */
export const shapes = {
  describeServer: {
    availableUserDomains: ["string"],
    contact: { email: "string" },
    did: "string",
    inviteCodeRequired: "bool",
    links: { privacyPolicy: "string", termsOfService: "string" },
    phoneVerificationRequired: "bool"
  },
  getSession: {
    active: "bool",
    did: "string",
    email: "string",
    emailAuthFactor: "bool",
    emailConfirmed: "bool",
    handle: "string",
    status: "string"
  },
  createAccount: { accessJwt: "string", did: "string", handle: "string", refreshJwt: "string" },
  checkAccountStatus: {
    activated: "bool",
    expectedBlobs: "int",
    importedBlobs: "int",
    indexedRecords: "int",
    privateStateValues: "int",
    repoBlocks: "int",
    repoCommit: "string",
    repoRev: "string",
    validDid: "bool"
  },
  getRepoStatus: { active: "bool", did: "string", rev: "string", status: "string" },
  listRepos: {
    cursor: "string",
    repos: [{ active: "bool", did: "string", head: "string", rev: "string", status: "string" }]
  },
  getAccountInfo: {
    deactivatedAt: "string",
    did: "string",
    email: "string",
    emailConfirmedAt: "string",
    handle: "string",
    indexedAt: "string",
    inviteNote: "string",
    invitedBy: code,
    invites: [code],
    invitesDisabled: "bool"
  },
  getSubjectStatus: {
    deactivated: { applied: "bool", ref: "string" },
    subject: { $type: "string", cid: "string", did: "string", recordUri: "string", uri: "string" },
    takedown: { applied: "bool", ref: "string" }
  },
  write: {
    cid: "string",
    commit: { cid: "string", rev: "string" },
    uri: "string",
    validationStatus: "string"
  },
  listRecords: { cursor: "string", records: [{ cid: "string", uri: "string" }] },
  listBlobs: { cids: ["string"], cursor: "string" },
  listMissingBlobs: { blobs: [{ cid: "string", recordUri: "string" }], cursor: "string" },
  describeRepo: {
    collections: ["string"],
    did: "string",
    handle: "string",
    handleIsCorrect: "bool"
  },
  uploadBlob: {
    blob: { $type: "string", mimeType: "string", ref: { $link: "string" }, size: "int" }
  },
  operation: {
    operation: {
      alsoKnownAs: ["string"],
      prev: "string",
      rotationKeys: ["string"],
      sig: "string",
      type: "string"
    }
  }
} as const satisfies Record<string, Shape>
