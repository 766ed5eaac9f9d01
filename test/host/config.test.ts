import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { readSources } from "../../scripts/walls.ts"
import { spans } from "../../src/core/host/settings.ts"
import { layer, read, streamRetentionOf } from "../../src/layers/host/ConfigEnv.ts"
import * as ConfigWorker from "../../src/layers/host/ConfigWorker.ts"
import { Config, type Settings } from "../../src/services/host/Config.ts"
import { hkdf } from "../../src/services/host/derivedSecrets.ts"

const masterKey = Buffer.alloc(32, 7).toString("base64url")
const secrets = {
  MASTER_KEY: masterKey,
  PLC_ROTATION_KEY: "ab".repeat(32),
  ADMIN_PASSWORD: "correct horse battery"
}

const settings = (env: Record<string, string>): Settings =>
  Result.getOrThrow(read({ ...secrets, ...env }))

const problems = (env: Record<string, unknown>) => {
  const result = read(env)
  if (Result.isSuccess(result)) return {}
  return Object.fromEntries(result.failure.problems.map((p) => [p.variable, p.message]))
}

const wrong = (env: Record<string, string>) => Object.keys(problems({ ...secrets, ...env }))

describe("the configuration", () => {
  it("only the secrets are required on a local machine", () => {
    const local = settings({})
    assert.strictEqual(local.publicUrl, "http://localhost:8787")
    assert.strictEqual(local.host, "localhost:8787")
    assert.isTrue(local.isLocal)
    assert.strictEqual(local.serviceDid, "did:web:localhost%3A8787")
    assert.deepStrictEqual(local.handleDomains, ["test"])
    assert.deepStrictEqual(local.relays, [])
    assert.strictEqual(local.plcUrl, "https://plc.directory")
    assert.strictEqual(local.blobLimit, 104_857_600)
    assert.strictEqual(local.jsonLimit, 153_600)
    assert.strictEqual(local.blobGraceHours, 6)
    assert.strictEqual(local.corsOrigins, "*")
    assert.isTrue(local.inviteRequired)
    assert.strictEqual(local.rateLimits, "sensitive")
    assert.isUndefined(local.dataLocation)
    assert.isUndefined(local.rateLimitBypassKey)
  })

  it("the defaults of a public host derive from its origin", () => {
    const live = settings({ PUBLIC_URL: "https://PDS.example.com/" })
    assert.strictEqual(live.publicUrl, "https://pds.example.com")
    assert.isFalse(live.isLocal)
    assert.strictEqual(live.serviceDid, "did:web:pds.example.com")
    assert.deepStrictEqual(live.handleDomains, ["pds.example.com"])
    assert.deepStrictEqual(live.relays, ["https://bsky.network"])
  })

  it("secrets are parsed as bytes and never printed", () => {
    const read = settings({})
    assert.deepStrictEqual(
      [...Redacted.value(read.masterKey)],
      Array.from({ length: 32 }, () => 7)
    )
    assert.strictEqual(Redacted.value(read.plcRotationKey)[0], 0xab)
    const shown = JSON.stringify(read) + String(read.masterKey) + String(read.adminPassword)
    for (const secret of Object.values(secrets)) assert.notInclude(shown, secret)
  })

  it("lists, switches, numbers and locations are parsed", () => {
    const read = settings({
      HANDLE_DOMAINS: ".one.example.com, Two.example.com",
      RELAYS: "https://relay.one/, https://relay.two",
      INVITE_REQUIRED: "off",
      BLOB_LIMIT: "314572800",
      BLOB_MIME_TYPES: "image/*,video/mp4",
      CORS_ORIGINS: "https://app.one,http://localhost:3000",
      DATA_LOCATION: "eu",
      SIGNING_CURVE: "p256",
      RATE_LIMITS: "false",
      DEV_ALLOW_HOSTS: "localhost:2582",
      DEBUG_ROWS: "1"
    })
    assert.deepStrictEqual(read.handleDomains, ["one.example.com", "two.example.com"])
    assert.deepStrictEqual(read.relays, ["https://relay.one", "https://relay.two"])
    assert.isFalse(read.inviteRequired)
    assert.strictEqual(read.blobLimit, 314_572_800)
    assert.deepStrictEqual(read.blobMimeTypes, ["image/*", "video/mp4"])
    assert.deepStrictEqual(read.corsOrigins, ["https://app.one", "http://localhost:3000"])
    assert.deepStrictEqual(read.dataLocation, { jurisdiction: "eu" })
    assert.strictEqual(read.signingCurve, "p256")
    assert.strictEqual(read.rateLimits, "off")
    assert.deepStrictEqual(read.devAllowHosts, ["localhost:2582"])
    assert.isTrue(read.debugRows)
    assert.deepStrictEqual(settings({ DATA_LOCATION: "weur" }).dataLocation, { hint: "weur" })
    assert.deepStrictEqual(
      settings({ PUBLIC_URL: "https://pds.example.com", RELAYS: "none" }).relays,
      []
    )
  })

  it("a store of blobs needs its key, and another place than the backups", () => {
    const url = "https://s3.example.com/mine"
    const problems = (env: Record<string, string>) => {
      const result = read({ ...secrets, ...env })
      return Result.isSuccess(result)
        ? []
        : result.failure.problems.map(({ variable, message }) => `${variable} ${message}`)
    }
    assert.deepStrictEqual(problems({ BLOB_S3_URL: url }), [
      "BLOB_S3_KEY_ID is missing: BLOB_S3_URL needs it",
      "BLOB_S3_SECRET is missing: BLOB_S3_URL needs it"
    ])
    const blobs = { BLOB_S3_URL: url, BLOB_S3_KEY_ID: "a", BLOB_S3_SECRET: "b" }
    const backups = { BACKUP_S3_URL: url, BACKUP_S3_KEY_ID: "a", BACKUP_S3_SECRET: "b" }
    assert.deepStrictEqual(problems({ ...blobs, ...backups }), [
      "BLOB_S3_URL must differ from BACKUP_S3_URL"
    ])
    assert.deepStrictEqual(problems({ ...blobs, ...backups, BACKUP_S3_URL: `${url}/backups` }), [])
    assert.strictEqual(settings(blobs).blobStore?.url, url)
  })

  it("lifetimes and retention are parsed within limits", () => {
    const minute = 60_000
    const day = 24 * 60 * minute
    assert.deepStrictEqual(settings({}).lifetimes, {
      accessToken: 120 * minute,
      session: 90 * day,
      oauthAccessToken: 15 * minute,
      oauthPublicSession: 14 * day,
      oauthConfidentialSession: 180 * day
    })
    assert.strictEqual(settings({}).streamRetention, 3 * day)
    for (const [name, { least, most }] of Object.entries(spans)) {
      for (const good of [least, most]) settings({ [name]: String(good) })
      for (const bad of [least - 1, most + 1, least + 0.5, "soon"]) {
        assert.deepStrictEqual(wrong({ [name]: String(bad) }), [name], `${name}=${bad}`)
      }
    }
    const short = settings({ ACCESS_TOKEN_MINUTES: "5", STREAM_RETENTION_HOURS: "24" })
    assert.strictEqual(short.lifetimes.accessToken, 5 * minute)
    assert.strictEqual(short.streamRetention, day)
  })

  it("streamRetentionOf returns the default for an invalid value", () => {
    const hour = 3_600_000
    assert.strictEqual(streamRetentionOf({}), 72 * hour)
    assert.strictEqual(streamRetentionOf({ STREAM_RETENTION_HOURS: "48" }), 48 * hour)
    assert.strictEqual(streamRetentionOf({ STREAM_RETENTION_HOURS: "1" }), 72 * hour)
  })

  it("the mailer is parsed, and a missing part is reported", () => {
    assert.deepStrictEqual(settings({}).mailer, { kind: "none" })
    assert.deepStrictEqual(settings({ MAILER: "captured" }).mailer, { kind: "captured" })
    const from = "Our PDS <pds@example.com>"
    const cloudflare = settings({ MAILER: "cloudflare", MAIL_FROM: from })
    assert.deepStrictEqual(cloudflare.mailer, { kind: "cloudflare", from })
    const api = { MAIL_HTTP_URL: "https://api.resend.com/emails", MAIL_HTTP_TOKEN: "re_secret" }
    const http = settings({ MAILER: "http", MAIL_FROM: "pds@example.com", ...api })
    assert.deepInclude(http.mailer, { kind: "http", from: "pds@example.com" })
    assert.notInclude(JSON.stringify(http), "re_secret")
    assert.deepStrictEqual(wrong({ MAILER: "cloudflare" }), ["MAIL_FROM"])
    const lacking = ["MAIL_FROM", "MAIL_HTTP_URL", "MAIL_HTTP_TOKEN"]
    assert.deepStrictEqual(wrong({ MAILER: "http" }), lacking)
    assert.deepStrictEqual(wrong({ MAILER: "smtp" }), ["MAILER"])
    for (const bad of ["nobody", "a@b <c@d>", "Name <a@b", "Name\n<a@b.c>"]) {
      assert.deepStrictEqual(wrong({ MAIL_FROM: bad }), ["MAIL_FROM"], bad)
    }
  })

  it("the default services are known and can be replaced", () => {
    const usual = settings({})
    assert.deepStrictEqual(usual.appView, {
      did: "did:web:api.bsky.app",
      service: "bsky_appview",
      url: "https://api.bsky.app"
    })
    assert.strictEqual(usual.chatService?.did, "did:web:api.bsky.chat")
    assert.strictEqual(usual.modService?.url, "https://mod.bsky.app")
    assert.deepStrictEqual(usual.reportService, usual.modService)
    const own = settings({
      APP_VIEW: "did:web:view.example.com#bsky_appview",
      CHAT_SERVICE: "none",
      MOD_SERVICE: "did:web:mod.example.com#atproto_labeler https://mod.example.com/"
    })
    assert.deepStrictEqual(own.appView, {
      did: "did:web:view.example.com",
      service: "bsky_appview",
      url: undefined
    })
    assert.isUndefined(own.chatService)
    assert.strictEqual(own.modService?.url, "https://mod.example.com")
    assert.deepStrictEqual(own.reportService, own.modService)
    for (const value of [
      "https://api.bsky.app",
      "did:web:api.bsky.app",
      "did:key:zQ3sh#bsky_appview",
      "did:web:api.bsky.app#bsky_appview https://api.bsky.app/path",
      "did:web:api.bsky.app#bsky_appview https://user@api.bsky.app",
      "did:web:api.bsky.app#bsky_appview https://one.example https://two.example"
    ]) {
      assert.deepStrictEqual(wrong({ APP_VIEW: value }), ["APP_VIEW"], value)
    }
  })

  it("every missing secret is reported at once", () => {
    assert.deepStrictEqual(Object.keys(problems({})), [
      "MASTER_KEY",
      "PLC_ROTATION_KEY",
      "ADMIN_PASSWORD"
    ])
    for (const message of Object.values(problems({ ADMIN_PASSWORD: "" }))) {
      assert.include(message, "is missing")
    }
  })

  it("an administrator's password needs 16 characters, and a Worker's error for a shorter one explains how to replace it", () => {
    assert.deepStrictEqual(wrong({ ADMIN_PASSWORD: "x".repeat(16) }), [])
    const short = { ...secrets, ADMIN_PASSWORD: "x".repeat(15) }
    assert.deepStrictEqual(problems(short), { ADMIN_PASSWORD: "must be at least 16 characters" })
    const built = Effect.runSync(
      Effect.flip(Effect.provide(Config, ConfigWorker.layer({ ...short, PUBLIC_URL: "" })))
    )
    assert.match(built.message, /at least 16 characters; .*secret put ADMIN_PASSWORD/)
  })

  it("every malformed variable is reported at once, without its value", () => {
    const env = {
      MASTER_KEY: "c2hvcnQ-secret",
      PLC_ROTATION_KEY: "00".repeat(32),
      ADMIN_PASSWORD: "s3cret!",
      PUBLIC_URL: "https://pds.example.com/path",
      BLOB_LIMIT: "100MB",
      LOG_LEVEL: "loud"
    }
    const found = problems(env)
    assert.deepStrictEqual(Object.keys(found).toSorted(), Object.keys(env).toSorted())
    const text = String(Result.getOrThrow(Result.flip(read(env))))
    for (const [name, value] of Object.entries(env)) {
      assert.include(text, name)
      assert.notInclude(text, value)
    }
  })

  it("a rotation key outside of the curve, a plain http host and invalid origins are rejected", () => {
    assert.deepStrictEqual(wrong({ PLC_ROTATION_KEY: "ff".repeat(32) }), ["PLC_ROTATION_KEY"])
    for (const origin of [
      "http://pds.example.com",
      "ftp://pds.example.com",
      "https://user:pw@pds.example.com",
      "https://pds.example.com?x=1",
      "pds.example.com"
    ]) {
      assert.deepStrictEqual(wrong({ PUBLIC_URL: origin }), ["PUBLIC_URL"], origin)
    }
  })

  it("malformed items of a list and unknown words are rejected", () => {
    assert.deepStrictEqual(wrong({ RELAYS: "https://a.example,http://b.example" }), ["RELAYS"])
    assert.deepStrictEqual(wrong({ HANDLE_DOMAINS: "a..b" }), ["HANDLE_DOMAINS"])
    assert.deepStrictEqual(wrong({ BLOB_QUOTA: "-1" }), ["BLOB_QUOTA"])
    assert.deepStrictEqual(wrong({ INVITE_REQUIRED: "maybe" }), ["INVITE_REQUIRED"])
    assert.deepStrictEqual(wrong({ INVITE_REQUIRED: "constructor" }), ["INVITE_REQUIRED"])
    assert.deepStrictEqual(wrong({ SERVICE_DID: "did:key:x" }), ["SERVICE_DID"])
  })

  it("loopback services are rejected on a public host", () => {
    const env = { PUBLIC_URL: "https://pds.example.com", DEV_ALLOW_HOSTS: "localhost:2582" }
    assert.deepStrictEqual(wrong(env), ["DEV_ALLOW_HOSTS"])
  })

  it.effect("the layer fails with all problems", () =>
    Effect.gen(function* () {
      const url = yield* Config.pipe(
        Effect.map(({ publicUrl }) => publicUrl),
        Effect.provide(layer({ ...secrets, PUBLIC_URL: "https://pds.example.com" }))
      )
      assert.strictEqual(url, "https://pds.example.com")
      const failure = yield* Config.pipe(Effect.provide(layer({})), Effect.flip)
      assert.strictEqual(failure.problems.length, 3)
    })
  )

  it("each purpose of a derived secret is named in one file", () => {
    const places = new Map<string, ReadonlySet<string>>()
    for (const [path, text] of readSources("src")) {
      // From the call's name to the first text that ends its arguments.
      for (const [, purpose = ""] of text.matchAll(
        /\b(?:hkdf|hkdfKeys?|keptKeys|sealer)\((?:[^")]|\([^)]*\))*"([^"]+)"\s*\)/g
      )) {
        places.set(purpose, new Set([...(places.get(purpose) ?? []), path]))
      }
    }
    assert.isAtLeast(places.size, 12)
    for (const [purpose, paths] of places) {
      assert.strictEqual(paths.size, 1, `${purpose}: ${[...paths].join(", ")}`)
    }
  })

  it("each purpose has its own derived secret, always the same", () => {
    const { masterKey } = settings({})
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
    assert.strictEqual(hex(hkdf(masterKey, "a")), hex(hkdf(masterKey, "a")))
    assert.notStrictEqual(hex(hkdf(masterKey, "a")), hex(hkdf(masterKey, "b")))
    assert.strictEqual(hkdf(masterKey, "a").byteLength, 32)
  })
})
