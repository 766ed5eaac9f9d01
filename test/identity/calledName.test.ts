import { assert, describe, it } from "@effect/vitest"
import { calledName, inviteCode, typedText } from "../../src/core/identity/calledName.ts"
import { pastedForms, writtenForms } from "../support/writtenNames.ts"

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

describe("what people call themselves", () => {
  it("is one handle in every form that people paste", () => {
    for (const form of writtenForms("alice.test")) {
      assert.strictEqual(calledName(form), "alice.test", JSON.stringify(form))
    }
  })

  it("is one DID in every form, and only the method's case is changed", () => {
    for (const form of pastedForms(did)) assert.strictEqual(calledName(form), did, form)
    assert.strictEqual(calledName("Did:Plc:abc"), "did:plc:abc")
    assert.strictEqual(calledName("DID:web:localhost%3A2583"), "did:web:localhost%3A2583")
  })

  it("is one address, whatever its case", () => {
    assert.strictEqual(calledName(" Alice+Tag@Mail.Test\u200b"), "alice+tag@mail.test")
  })

  it("keeps what stands inside a name", () => {
    for (const name of ["a b.test", "a@b.test", "a\u200bb.test", "x at://y", ""]) {
      assert.strictEqual(calledName(name), name)
    }
  })

  it("leaves texts that are too long for a name as they are, without work", () => {
    const long = `${" ".repeat(100_000)}x${" ".repeat(100_000)}`
    assert.strictEqual(typedText(long), long)
    assert.strictEqual(calledName(long), long)
  })

  it("is one invite code in capitals or with spaces around", () => {
    assert.strictEqual(inviteCode(" PDS-Example-com-ABCDE-23456\n"), "pds-example-com-abcde-23456")
  })
})
