/** The home that tests judge, `TEST_HOME`: memory, or a server on one machine with files ("box"). */
export const isBox = process.env["TEST_HOME"] === "box"

/**
 * Such a server: so few account databases stay open that most requests wake an account, and with
 * `SHARED_SYNC=on` commits share syncs.
 */
export const boxOptions = { mostOpen: 2, sharesSyncs: process.env["SHARED_SYNC"] === "on" }

/** Tests that can't hold on one machine, by file, with the reason; `TEST_HOME=box` leaves them out. */
export const notOnBox: Readonly<Record<string, string>> = {
  "test/edge/edgeCache.http.test.ts": "that home has no cache of public responses",
  "test/proxy/proxyNow.http.test.ts": "on that home every proxied request takes a fiber"
}

/** What `/ready` checks of the home itself: only one machine has a disk that may be full. */
export const ownChecks: Readonly<Record<string, string>> = isBox ? { disk: "ok" } : {}
