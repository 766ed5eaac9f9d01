import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { accountMethods, hostMethods } from "../../src/http/methods.ts"
import type { Authority } from "../../src/services/sessions/Authority.ts"

const path = join(import.meta.dirname, "../../docs/build/who-may-call-what.md")
const marks = ["<!-- who may call what: begin -->\n", "<!-- who may call what: end -->"] as const

/** Who may call a method: the main password, app passwords, an app, and others. */
type Rights = readonly [
  main: string,
  privileged: string,
  unprivileged: string,
  app: string,
  others: string
]

const rightsOf = (authority: Authority): Rights => {
  switch (authority.kind) {
    case "none":
      return ["yes", "yes", "yes", "yes", "everybody"]
    case "optional":
      return [
        "yes",
        "yes",
        "yes",
        "yes",
        "everybody, while the account is active; the administrator"
      ]
    case "signup":
      return ["no", "no", "no", "no", "everybody, as the server lets people sign up"]
    case "refresh":
      return ["no", "no", "no", "no", "a session's refresh token"]
    case "service":
      return ["no", "no", "no", "no", "the account's service token"]
    case "admin":
      return ["no", "no", "no", "no", "the administrator"]
    case "moderator":
      return ["no", "no", "no", "no", "the administrator, moderation services"]
    case "object":
      return rightsOf(authority.demands)
    case "session": {
      const { level, oauth, service, moderator } = authority
      const app = oauth === "no" ? "no" : oauth === "any" ? "yes" : "by permission"
      const others = [
        ...(service === true ? ["the account's service token"] : []),
        ...(moderator === true ? ["moderation services"] : [])
      ]
      return [
        "yes",
        level === "full" ? "no" : "yes",
        level === "standard" ? "yes" : "no",
        app,
        others.join(", ")
      ]
    }
  }
}

/** The table, with one row for all methods with the same rights. */
const table = (): string => {
  const rows = new Map<string, Array<string>>()
  const methods = [...hostMethods.values(), ...accountMethods.values()]
  for (const { nsid, authority } of methods.toSorted((a, b) => (a.nsid < b.nsid ? -1 : 1))) {
    const key = rightsOf(authority).join(" | ")
    const row = rows.get(key) ?? []
    if (!row.includes(nsid)) rows.set(key, [...row, nsid])
  }
  const lines = [...rows].map(
    ([rights, nsids]) => `| ${nsids.map((nsid) => `\`${nsid}\``).join(", ")} | ${rights} |`
  )
  return [
    "| methods | main password | privileged app password | app password | OAuth app | others |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
    ""
  ].join("\n")
}

describe("the page about who may call what", () => {
  it("the table matches the methods' declarations", () => {
    const text = readFileSync(path, "utf8")
    const [before, rest = ""] = text.split(marks[0])
    const [said, after] = rest.split(marks[1])
    if (process.env["UPDATE_DOCS"] === "1") {
      writeFileSync(path, `${before}${marks[0]}${table()}${marks[1]}${after}`)
      return
    }
    assert.strictEqual(said, table(), "UPDATE_DOCS=1 writes the table")
  })

  it("app passwords may not change the account's names, addresses or sign-in", () => {
    for (const nsid of [
      "com.atproto.identity.requestPlcOperationSignature",
      "com.atproto.identity.signPlcOperation",
      "com.atproto.identity.submitPlcOperation",
      "com.atproto.identity.updateHandle",
      "com.atproto.repo.importRepo",
      "com.atproto.server.activateAccount",
      "com.atproto.server.confirmEmail",
      "com.atproto.server.createAppPassword",
      "com.atproto.server.deactivateAccount",
      "com.atproto.server.getAccountInviteCodes",
      "com.atproto.server.listAppPasswords",
      "com.atproto.server.requestAccountDelete",
      "com.atproto.server.requestEmailConfirmation",
      "com.atproto.server.requestEmailUpdate",
      "com.atproto.server.revokeAppPassword",
      "com.atproto.server.updateEmail"
    ]) {
      const declared = hostMethods.get(nsid) ?? accountMethods.get(nsid)
      assert.isDefined(declared, nsid)
      const [main, privileged, unprivileged] = rightsOf(declared!.authority)
      assert.deepStrictEqual([main, privileged, unprivileged], ["yes", "no", "no"], nsid)
    }
  })
})
