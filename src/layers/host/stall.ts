/** Thrown when a store makes no progress for too long. */
export class Stalled extends Error {
  override readonly name = "Stalled"
}

/** A promise's result, or Stalled after this many milliseconds. */
export const within = async <A>(millis: number, promise: Promise<A>): Promise<A> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Stalled(`no progress for ${millis} ms`)), millis)
  })
  // It may still reject when nobody listens any more.
  promise.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
