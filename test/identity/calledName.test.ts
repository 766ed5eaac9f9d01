import { assert, describe, it } from "@effect/vitest"
import { calledName, inviteCode, typedText } from "../../src/core/identity/calledName.ts"
import { pastedForms, writtenForms } from "../support/writtenNames.ts"

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

describe("login names as people type them", () => {
  it("calledName returns the same handle for every pasted form", () => {
    for (const form of writtenForms("alice.test")) {
      assert.strictEqual(calledName(form), "alice.test", JSON.stringify(form))
    }
  })

  it("calledName returns the same DID for every pasted form, and lowers only the method's case", () => {
    for (const form of pastedForms(did)) assert.strictEqual(calledName(form), did, form)
    assert.strictEqual(calledName("Did:Plc:abc"), "did:plc:abc")
    assert.strictEqual(calledName("DID:web:localhost%3A2583"), "did:web:localhost%3A2583")
  })

  it("calledName returns an email address in lower case", () => {
    assert.strictEqual(calledName(" Alice+Tag@Mail.Test\u200b"), "alice+tag@mail.test")
  })

  it("calledName keeps characters inside a name", () => {
    for (const name of ["a b.test", "a@b.test", "a\u200bb.test", "x at://y", ""]) {
      assert.strictEqual(calledName(name), name)
    }
  })

  it("calledName returns texts longer than any name unchanged", () => {
    const long = `${" ".repeat(100_000)}x${" ".repeat(100_000)}`
    assert.strictEqual(typedText(long), long)
    assert.strictEqual(calledName(long), long)
  })

  it("inviteCode accepts capitals and surrounding spaces", () => {
    assert.strictEqual(inviteCode(" PDS-Example-com-ABCDE-23456\n"), "pds-example-com-abcde-23456")
  })
})
