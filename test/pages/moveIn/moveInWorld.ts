import { vi } from "@effect/vitest"
import { startPlc } from "../../../scripts/plc.ts"
import { codeFor } from "../../support/http/httpCodes.ts"
import type { Browser, PageForm, Shown } from "../../support/http/httpBrowser.ts"
import { basic, bearer, type Host, startHost } from "../../support/http/httpHost.ts"
import { ok, upload } from "../../support/http/httpWorld.ts"

const oldOrigin = "http://localhost:8790"

export const password = "the old server's password"
export const newPassword = "a new password here"

/** An answer of the old server that a test plays. */
export type Attack = (request: Request) => Response | Promise<Response>

/** A body that sends something and then nothing more; `stopped` runs when its reader waits. */
const stalled = (request: Request, stopped: () => void) => {
  let isFirst = true
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      request.signal.addEventListener("abort", () => controller.error(request.signal.reason))
    },
    pull: (controller) => {
      if (!isFirst) {
        stopped()
        return new Promise(() => {})
      }
      isFirst = false
      controller.enqueue(new Uint8Array(10))
      return undefined
    }
  })
  return new Response(body)
}

/** Continues until the page has another form. */
export const copied = async (browser: Browser, page: Shown): Promise<Shown> => {
  let shown = page
  for (let at = 0; at < 10 && shown.has("/moving/step"); at++) {
    shown = await browser.submit(shown.form("/moving/step"))
  }
  return shown
}

export const statusOf = async (on: Host, did: string) =>
  (await on.call("com.atproto.sync.getRepoStatus", { params: { did } })).body["active"] as
    | boolean
    | undefined

/** Two servers with one PLC directory: accounts move from the old one to the host. */
export const startMoveIn = async (
  env: Readonly<Record<string, string>> = {},
  started: { readonly kept?: string } = {}
) => {
  const plc = await startPlc()
  const more = {
    PUBLIC_URL: oldOrigin,
    HANDLE_DOMAINS: "old.example.com",
    PLC_ROTATION_KEY: "43".repeat(32)
  }
  const old = await startHost({ ...more, MAILER: "captured" }, { plc })
  const host = await startHost(
    { INVITE_REQUIRED: "on", DEV_ALLOW_HOSTS: "localhost:8790", ...env },
    { plc, ...started }
  )
  /** Changes what the old server answers, by the method's name. */
  const attacks = new Map<string, Attack>()
  /** The methods that were called at the old server. */
  const called: Array<string> = []
  const before = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const url = new URL(request?.url ?? String(input))
    if (url.origin !== oldOrigin) return before(input, init)
    const sent = request ?? new Request(url, { ...init, duplex: "half" } as object)
    const nsid = url.pathname.replace("/xrpc/", "")
    called.push(nsid)
    const attack = attacks.get(nsid)
    return attack === undefined ? old.handler(sent) : attack(sent)
  }
  let count = 0

  /** An account at the old server with posts and pictures. */
  const mover = async () => {
    const name = `mover${(count += 1)}`
    const handle = `${name}.old.example.com`
    const email = `${name}@mail.example.com`
    const input = { handle, email, password }
    const made = ok(await old.call("com.atproto.server.createAccount", { input, auth: basic() }))
    const { did, accessJwt } = made as { did: string; accessJwt: string }
    const auth = bearer(accessJwt)
    host.network.dns.set(handle, did)
    for (let at = 0; at < 3; at++) {
      const image = await upload(old, auth, new TextEncoder().encode(`picture ${at} of ${name}`))
      const record = {
        $type: "app.bsky.feed.post",
        text: `post ${at}`,
        createdAt: "2026-01-01T00:00:00.000Z",
        embed: { $type: "app.bsky.embed.images", images: [{ image, alt: "" }] }
      }
      const post = { repo: did, collection: "app.bsky.feed.post", record }
      ok(await old.call("com.atproto.repo.createRecord", { auth, input: post }))
    }
    const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: true }]
    ok(await old.call("app.bsky.actor.putPreferences", { auth, input: { preferences } }))
    return { did, handle, email, auth, name }
  }

  type Mover = Awaited<ReturnType<typeof mover>>

  const invite = async () =>
    ok(
      await host.call("com.atproto.server.createInviteCode", {
        auth: basic(),
        input: { useCount: 1 }
      })
    )["code"] as string

  return {
    old,
    host,
    attacks,
    called,
    mover,
    invite,
    /** Fills in the form that begins a move. */
    beginBy: async (
      browser: Browser,
      who: Mover,
      filled: Readonly<Record<string, string>> = {}
    ): Promise<Shown> => {
      const page = await browser.get(`/account/move-in?invite=${await invite()}`)
      return browser.submit(page.form("/move-in"), {
        identifier: who.handle,
        old: password,
        handle: who.name,
        email: who.email,
        password: newPassword,
        ...filled
      })
    },
    confirm: async (browser: Browser, who: Mover, page: Shown): Promise<Shown> => {
      const code = await codeFor(old, who.did, "plc_operation")
      return browser.submit(page.form("/moving/confirm"), { code })
    },
    /**
     * Submits a form while the old server gives a method no answer, or a part of one; played timers
     * end the wait after exactly these milliseconds.
     */
    inVain: async (
      browser: Browser,
      form: PageForm,
      { nsid, millis, answer }: { nsid: string; millis: number; answer: "none" | "part" }
    ): Promise<Shown> => {
      const waiting = new Promise<void>((waits) => {
        attacks.set(nsid, (request) => {
          if (answer === "part") return stalled(request, waits)
          waits()
          return new Promise(() => {})
        })
      })
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      try {
        const shown = browser.submit(form)
        await Promise.race([waiting, shown])
        await vi.advanceTimersByTimeAsync(millis)
        return await shown
      } finally {
        vi.useRealTimers()
        attacks.delete(nsid)
      }
    },
    close: async () => {
      await old.close()
      await host.close()
    }
  }
}

/** What `startMoveIn` starts. */
export type MoveInWorld = Awaited<ReturnType<typeof startMoveIn>>
