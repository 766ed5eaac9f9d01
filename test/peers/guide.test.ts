import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Desk, makeDesk } from "../cli/command.ts"
import type { TestServer } from "../support/server/server.ts"
import type { Side } from "./moveByClient.ts"
import { atNacre, atOld } from "./sides.ts"
import { assertImages, newMover, recordsOf, startNacre, startWorld, type World } from "./world.ts"

const guides = ["operate/accounts-and-invites", "own/move-in", "own/recover", "own/move-away"]

/** The commands of the guides, verbatim; a command may continue on the next line. */
const commands = guides.flatMap((name) => {
  const text = readFileSync(join(import.meta.dirname, `../../docs/${name}.md`), "utf8")
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    block!
      .trim()
      .replaceAll(/ \\\n\s*/g, " ")
      .split("\n")
  )
})

/** The first command with this beginning that contains the text. */
const command = (begin: string, holds = ""): string =>
  commands.find((one) => one.startsWith(`npx nacre ${begin}`) && one.includes(holds)) ?? ""

/** A code for a DID operation. */
const code = ({ agent, code: read }: Side) =>
  read(() => agent.com.atproto.identity.requestPlcOperationSignature())

describe("the guide to moving", () => {
  let world: World
  let elsewhere: TestServer
  let desk: Desk
  beforeAll(async () => {
    world = await startWorld({ INVITE_REQUIRED: "on" })
    elsewhere = await startNacre(world.plc, { HANDLE_DOMAINS: "net.test" })
    desk = makeDesk()
  })
  afterAll(async () => {
    desk.remove()
    await elsewhere.stop()
    await world.stop()
  })

  it("the guide's commands work as written: moving in, export, deletion, import, and moving out", async () => {
    const mover = await newMover(world, "alice")
    const { did, email, agent: there, password } = mover
    const records = await recordsOf(world, there, did)
    const inNacre = new AtpAgent({ service: world.nacre.publicUrl })
    const inElsewhere = new AtpAgent({ service: elsewhere.publicUrl })
    let invite = ""
    let steps = 0

    const run = async (command: string, env: Readonly<Record<string, string>>) => {
      const real = command
        .replace("alice.bsky.social", did)
        .replaceAll("https://pds.example.com", world.nacre.publicUrl)
        .replaceAll("https://pds.example.net", elsewhere.publicUrl)
        .replaceAll("https://pds.example.org", world.old.publicUrl)
        .replace("alice.pds.example.com", "alice.new.test")
        .replace("alice.pds.example.net", "alice.net.test")
        .replace(/pds-example-com-\S+/, invite)
      const [npx, nacre, ...args] = real.split(" ")
      assert.deepStrictEqual([npx, nacre], ["npx", "nacre"])
      const ran = await desk.run([...args, "--json"], { PLC_URL: world.plc.url, ...env })
      assert.strictEqual(ran.code, 0, `${command}\n${ran.stderr}`)
      steps += 1
      return ran.json
    }

    const makeInvite = command("invite create")
    const dryRun = command("migrate", "--dry-run")
    const migrate = command("migrate", "--invite")
    const save = command("export")
    const recover = command("recover")
    const leave = command("leave").replaceAll("pds.example.com", "pds.example.net")
    const admin = { NACRE_ADMIN_PASSWORD: world.nacre.account.adminPassword }
    invite = (await run(makeInvite, admin)).codes[0]
    const first = { NACRE_PASSWORD: password, NACRE_NEW_PASSWORD: "a second password" }
    assert.isTrue((await run(dryRun, first)).inviteNeeded)
    const moved = await run(migrate, {
      ...first,
      NACRE_MAILED_CODE: await code(atOld(world, there, email))
    })
    assert.deepInclude(moved, { handle: "alice.new.test", activated: true, records: records.size })
    await inNacre.login({ identifier: did, password: "a second password" })
    assert.deepStrictEqual(await recordsOf(world, inNacre, did), records)

    await run(save, { NACRE_PASSWORD: "a second password" })
    const back = await run(recover, { NACRE_NEW_PASSWORD: "a third password" })
    assert.deepInclude(back, { handle: "alice.net.test", activated: true, records: records.size })
    await inElsewhere.login({ identifier: did, password: "a third password" })
    assert.deepStrictEqual(await recordsOf(world, inElsewhere, did), records)
    await assertImages(inElsewhere, mover)

    const left = await run(leave, {
      NACRE_PASSWORD: "a third password",
      NACRE_NEW_PASSWORD: password,
      NACRE_MAILED_CODE: await code(atNacre({ ...world, nacre: elsewhere }, inElsewhere))
    })
    assert.deepInclude(left, { activated: true, records: records.size })
    assert.strictEqual(steps, 6)
  })
})
