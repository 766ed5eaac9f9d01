import type * as Effect from "effect/Effect"
import type { LimitRule } from "../services/limits/rules.ts"

/** Answers the current request; never fails. */
export type Answer<R> = Effect.Effect<Response, never, R>

/** A route of the app: HTTP method, path, and handler. */
export interface Route<R> {
  /** `*` is any method; a GET route also answers HEAD. */
  readonly verb: "*" | "GET" | "POST"
  /** In lower case; a trailing `/*` includes everything below it. */
  readonly path: string
  readonly answer: Answer<R>
  /** The route's own rate limits, in addition to the general ones. */
  readonly limits: ReadonlyArray<LimitRule>
}

/** Declares a route. */
export const route = <R>(
  verb: Route<R>["verb"],
  path: string,
  answer: Answer<R>,
  ...limits: ReadonlyArray<LimitRule>
): Route<R> => ({ verb, path, answer, limits })

/** Normalizes a typed path to the form of routes: lower case, no superfluous slashes. */
const plain = (path: string): string =>
  path
    .toLowerCase()
    .replaceAll(/\/{2,}/g, "/")
    .replace(/(?<=.)\/$/, "")

/** Returns whether a route has the path, for any HTTP method. */
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
 * Finds the route for a path: an exact match, else the longest prefix.
 *
 * A table instead of a router: every path is known, and none has parameters.
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
