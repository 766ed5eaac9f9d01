/** The length of a text in UTF-8 bytes; a lone surrogate counts as the three bytes of U+FFFD. */
export const utf8Length = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    bytes += 1
    if (unit < 0x800) continue
    bytes += 1
    const next = text.charCodeAt(i + 1)
    // A surrogate pair is two units and four bytes: two more than its units.
    if (unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000) i += 1
  }
  return bytes
}

let segmenter: Intl.Segmenter | undefined

/**
 * The number of graphemes in a text, counted up to `limit + 1` to bound the cost of hostile texts.
 */
export const graphemesUpTo = (text: string, limit: number): number => {
  // In ASCII only CR LF forms one grapheme; other texts need Unicode's rules.
  if (/^[\t\n\x20-\x7e]*$/.test(text)) return text.length
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" })
  let count = 0
  for (const _ of segmenter.segment(text)) {
    if (++count > limit) break
  }
  return count
}
