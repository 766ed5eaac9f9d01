import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { encode } from "uqr"
import { facts, report } from "./output.ts"
import { theServer } from "./place.ts"

/** A QR code of half blocks, dark on light whatever the terminal's colours are. */
export const qrLines = (text: string): string => {
  const { data, size } = encode(text, { border: 2 })
  const lines: Array<string> = []
  for (let row = 0; row < size; row += 2) {
    let line = ""
    for (let column = 0; column < size; column++) {
      const top = data[row]?.[column] === true
      const bottom = data[row + 1]?.[column] === true
      line += top ? (bottom ? " " : "▄") : bottom ? "▀" : "█"
    }
    lines.push(line)
  }
  return lines.join("\n")
}

const page = (name: string, path: string, description: string) =>
  Command.make(
    name,
    {},
    Effect.fnUntraced(function* () {
      const url = `${yield* theServer}${path}`
      yield* report({ url }, () => `${facts([["Open", url]])}\n\n${qrLines(url)}`)
    })
  ).pipe(Command.withDescription(description))

/** `nacre passkey`: passkeys are made and removed where they live, in a browser. */
export const passkey = Command.make("passkey").pipe(
  Command.withDescription(
    "Passkeys belong to the browser that makes them: this leads to the account's pages for them"
  ),
  Command.withSubcommands([
    page(
      "add",
      "/account/passkey",
      "Show the page that adds a passkey, with a QR code for a phone"
    ),
    page("list", "/account/security", "Show the page that lists the account's passkeys"),
    page("remove", "/account/security", "Show the page that removes passkeys")
  ])
)
