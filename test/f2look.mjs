import { readFileSync } from "node:fs"
import { startBrowser } from "./support/browser.ts"
const acc = JSON.parse(readFileSync("/tmp/f2data/account.json"))
const base = acc.url
const b = await startBrowser()
const c = await b.newContext()
const p = await c.newPage()
p.on("console", m => console.log("console", m.text()))
p.on("pageerror", m => console.log("err", m))
const shoot = async (name) => {
  for (const [v, scheme, w] of [["light","light",1100],["dark","dark",1100],["phone","light",390]]) {
    await p.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" })
    await p.setViewportSize({ width: w, height: 700 })
    const wide = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (wide > 0) console.log(name, v, "overflow", wide)
    await p.screenshot({ path: `/tmp/f2shots/${name}-${v}.png`, fullPage: true })
  }
  await p.setViewportSize({ width: 1100, height: 700 })
}
await p.goto(base + "/account/sign-in"); await shoot("signin")
await p.goto(base + "/account/forgot"); await shoot("forgot")
await p.fill("[name=identifier]", acc.handle); await p.click("main button"); await shoot("reset")
await p.goto(base + "/account")
await p.fill("[name=identifier]", acc.handle); await p.fill("[name=password]", acc.password); await p.click("button:has-text('Sign in')"); await shoot("overview")
for (const n of ["settings","email","handle","keys","export","deactivate","delete"]) { await p.goto(base + "/account/" + n); await shoot(n) }
await p.goto(base + "/account/handle"); await p.fill("[name=handle]", "https://example.org/x"); await p.click("text=Check it"); await shoot("handle-refused")
await p.goto(base + "/account/handle"); await p.fill("[name=name]", "ab"); await p.click("text=Use this name"); await shoot("handle-short")
await p.goto(base + "/account/email"); await p.click("text=Send a code"); await shoot("email-sent")
await p.fill("[name=code]", "AAAAA-AAAAA"); await p.click("text=Confirm >> nth=-1"); await shoot("email-wrong")
await p.goto(base + "/account/export")
const [d] = await Promise.all([p.waitForEvent("download"), p.click("text=Download it")]); console.log(d.suggestedFilename())
await p.goto(base + "/account/deactivate"); await p.fill("[name=date]", "2027-03-04"); await p.click("main button.danger"); await shoot("deactivated")
await p.goto(base + "/account/deactivate"); await shoot("deactivate-again")
await b.close()
