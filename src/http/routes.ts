import type * as Effect from "effect/Effect"
import type { LimitRule } from "../services/limits/rules.ts"

/** Answers the current request; never fails. */
export type Answer<R> = Effect.Effect<Response, never, R>

/** A way into the app: its verb, its path, and who answers there. */
export interface Route<R> {
  /** `*` stands for every verb; a GET route answers HEAD as well. */
  readonly verb: "*" | "GET" | "POST"
  /** In lower case; with `/*` at its end, everything below it. */
  readonly path: string
  readonly answer: Answer<R>
  /** The rate limits that requests count towards on the way, besides those that every request does. */
  readonly limits: ReadonlyArray<LimitRule>
}

/** Declares a route. */
export const route = <R>(
  verb: Route<R>["verb"],
  path: string,
  answer: Answer<R>,
  ...limits: ReadonlyArray<LimitRule>
): Route<R> => ({ verb, path, answer, limits })

/** A path as people may type it, in the one form that routes have: lower case, no slash too many. */
const plain = (path: string): string =>
  path
    .toLowerCase()
    .replaceAll(/\/{2,}/g, "/")
    .replace(/(?<=.)\/$/, "")

/** Tells whether any of the routes has a path, by whichever verb. */
export const isPathOf = (
  routes: ReadonlyArray<Pick<Route<never>, "path">>
): ((path: string) => boolean) => {
  const exact = new Set(routes.map(({ path }) => path))
  const prefixes = [...exact].filter((path) => path.endsWith("/*")).map((path) => path.slice(0, -1))
  return (path) => {
    const at = plain(path)
    return exact.has(at) || prefixes.some((prefix) => `${at}/`.startsWith(prefix))
  }
}

/**
 * Finds the route of a path: that of this very path, else the longest one above it.
 *
 * A table and no router: every path of the app is known, and none has parameters.
 */
export const finder = <R>(
  routes: ReadonlyArray<Route<R>>
): ((verb: string, path: string) => Route<R> | undefined) => {
  const exact = new Map<string, Route<R>>()
  const below: Array<{ readonly prefix: string; readonly route: Route<R> }> = []
  for (const one of routes) {
    if (one.path.endsWith("/*")) below.push({ prefix: one.path.slice(0, -1), route: one })
    else exact.set(`${one.verb} ${one.path}`, one)
  }
  below.sort((a, b) => b.prefix.length - a.prefix.length)
  return (verb, path) => {
    const sought = verb === "HEAD" ? "GET" : verb
    const at = plain(path)
    return (
      exact.get(`${sought} ${at}`) ??
      exact.get(`* ${at}`) ??
      below.find(
        ({ prefix, route: { verb: own } }) =>
          `${at}/`.startsWith(prefix) && (own === "*" || own === sought)
      )?.route
    )
  }
}
