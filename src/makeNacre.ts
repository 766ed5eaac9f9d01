import * as Layer from "effect/Layer"
import { accountApp } from "./http/account.ts"
import { isServersPath } from "./http/host.ts"
import { OwnMethods } from "./http/host/ownMethods.ts"
import { makeLateWorker, makeWorker, type WorkerApp } from "./http/webHandler.ts"
import * as Cloudflare from "./layers/Cloudflare.ts"
import { bindingsOf } from "./layers/host/bindings.ts"
import * as MailerWorker from "./layers/mail/MailerWorker.ts"
import type { Nacre, NacreOptions } from "./options.ts"
import { readOwnParts } from "./ownParts.ts"

type Bindings = Readonly<Record<string, unknown>>

/** Creates a server from options and layers that replace its own; see createNacre. */
export const makeNacre = <Env extends object>(
  options: NacreOptions<Env>,
  layersFor: (env: Env, bindings: Cloudflare.Env) => Cloudflare.OwnLayers = () => ({})
): Nacre<Env> => {
  const { methods, lexicons } = readOwnParts(options)
  const merged = new WeakMap<Env, Cloudflare.Env>()
  const handlers = new WeakMap<Env, WorkerApp>()

  /** The server's environment for an environment of the platform; cached per object. */
  const envOf = (env: Env): Cloudflare.Env => {
    const known = merged.get(env)
    if (known !== undefined) return known
    const { bindings = {}, config = {}, mailer } = options
    // SAFETY: an environment is an object of bindings, whatever type the Worker declares for it.
    const given = env as Bindings
    const renamed = Object.entries(bindings).map(([name, other]) => [name, given[other]])
    const settings: Cloudflare.Env = {
      ...bindingsOf({ ...given, ...Object.fromEntries(renamed) }),
      ...textsOf(typeof config === "function" ? config(env) : config),
      ...(mailer === undefined ? {} : { MAILER: "worker" })
    }
    const made: Cloudflare.Env = {
      ...settings,
      [Cloudflare.own]: {
        ...layersFor(env, settings),
        lexicons,
        ...(mailer === undefined
          ? {}
          : { mailer: MailerWorker.layer(async (mail) => mailer(mail, env)) })
      }
    }
    merged.set(env, made)
    return made
  }

  const workerFor = (env: Env): WorkerApp => {
    const known = handlers.get(env)
    if (known !== undefined) return known
    const bindings = envOf(env)
    const services = Cloudflare.host(bindings, accountApp.failures).pipe(
      Layer.provideMerge(Layer.succeed(OwnMethods, { methods, env }))
    )
    const made = Cloudflare.isWaitedFor(bindings) ? makeLateWorker(services) : makeWorker(services)
    handlers.set(env, made)
    return made
  }

  const { fallback, home } = options
  const isSites = (path: string): boolean =>
    path === "/" ? home !== "nacre" : path === "/robots.txt" || !isServersPath(path)

  /**
   * The handler that answers a path instead of the server; depends only on the path, so all HTTP
   * methods agree.
   */
  const siteOf = ({ url }: Request) => {
    if (fallback === undefined && typeof home !== "function") return undefined
    const path = new URL(url).pathname
    if (path === "/" && typeof home === "function") return home
    return fallback !== undefined && isSites(path) ? fallback : undefined
  }

  const AccountBase = Cloudflare.account(accountApp)

  return {
    fetch: async (request, env, ctx) => {
      const site = siteOf(request)
      return site === undefined ? workerFor(env).fetch(request) : site(request, env, ctx)
    },
    scheduled: (_, env) => workerFor(env).scheduled(),
    Account: class Account extends AccountBase {
      constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, envOf(env))
      }
    },
    Sequencer: class Sequencer extends Cloudflare.sequencerObject {
      constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, envOf(env))
      }
    },
    Limiter: class Limiter extends Cloudflare.LimiterDurable {
      constructor(ctx: DurableObjectState, env: Env) {
        super(ctx, envOf(env))
      }
    }
  }
}

/** Settings as strings, as in the environment. */
const textsOf = (config: Readonly<Record<string, unknown>>): Bindings =>
  Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) => {
      if (value === undefined) return []
      if (Array.isArray(value)) return [[name, value.join(",")]]
      return [
        [name, typeof value === "number" || typeof value === "boolean" ? String(value) : value]
      ]
    })
  )
