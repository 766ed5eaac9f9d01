import { encode } from "uqr"

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
