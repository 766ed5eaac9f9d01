/** The most bytes of a blob that is put in one piece: a stream costs more than their memory. */
export const onePiece = 1024 * 1024

/** With room for a byte more than there should be. */
const size = onePiece + 1

/** Below this, memory of its own is cheaper. */
const small = 64 * 1024

/** The most pieces that an isolate keeps. */
const most = 4

/** Memory of earlier uploads; a new piece costs its pages and sooner a garbage collection. */
const spare: Array<ArrayBuffer> = []

/** Memory for so many bytes, at most `onePiece + 1`, which may hold older bytes. */
export const memoryFor = (bytes: number): Uint8Array<ArrayBuffer> =>
  bytes < small
    ? new Uint8Array(bytes)
    : new Uint8Array(spare.pop() ?? new ArrayBuffer(size), 0, bytes)

/** Takes memory that nobody uses any more. */
export const giveBack = ({ buffer }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === size && spare.length < most) {
    spare.push(buffer)
  }
}
