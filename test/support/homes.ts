/** The home that tests judge, `TEST_HOME`: memory, or a server on one machine with files ("box"). */
export const isBox = process.env["TEST_HOME"] === "box"

/** Account databases that such a server keeps open: so few that most requests wake an account. */
export const mostOpen = 2

/** Tests that can't hold on one machine, by file, with the reason; `TEST_HOME=box` leaves them out. */
export const notOnBox: Readonly<Record<string, string>> = {
  "test/edge/edgeCache.http.test.ts": "that home has no cache of public responses"
}

/** What `/ready` checks of the home itself: only one machine has a disk that may be full. */
export const ownChecks: Readonly<Record<string, string>> = isBox ? { disk: "ok" } : {}
