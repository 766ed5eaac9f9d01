import * as Effect from "effect/Effect"
import { refuseTooSlow, type Subscriber } from "./feed.ts"
import type { Connection, Greeting } from "./Readers.ts"

/** A socket that tells when the system has taken what was sent: one of `ws`, or a test's. */
export interface MemorySocket {
  send(frame: Uint8Array, sent: () => void): void
  close(code: number, reason: string): void
}

/** What may wait for a consumer: a live one with more is closed, a replay goes on below the lesser. */
const waiting = { most: 16_000_000, replay: 256_000 }

/** A subscriber on a socket whose backpressure can be seen. */
export class SocketSubscriber implements Subscriber {
  position: number | "live" = "live"
  closed = false
  private readonly socket: MemorySocket
  private readonly greeting: Greeting
  private waiting = 0
  private resume: (() => void) | undefined

  constructor(socket: MemorySocket, greeting: Greeting) {
    this.socket = socket
    this.greeting = greeting
  }

  /** Who reads here, and how far it was sent the log. */
  get connection(): Connection {
    return { ...this.greeting, position: this.position }
  }

  send(frame: Uint8Array): void {
    if (this.closed) return
    this.waiting += frame.byteLength
    this.socket.send(frame, () => this.taken(frame.byteLength))
    if (this.waiting > waiting.most) {
      // The error frame itself must not come here again.
      this.waiting = 0
      refuseTooSlow(this)
    }
  }

  close(code: number, reason: string): void {
    if (this.closed) return
    this.gone()
    this.socket.close(code, reason)
  }

  /** The socket has closed. */
  gone(): void {
    this.closed = true
    this.resume?.()
  }

  /** Ends when the consumer has taken most of what was sent, or is gone. */
  readonly drained: Effect.Effect<void> = Effect.callback<void>((resume) => {
    this.resume = () => resume(Effect.void)
    this.taken(0)
  })

  private taken(bytes: number): void {
    this.waiting -= bytes
    if (this.closed || this.waiting <= waiting.replay) this.resume?.()
  }
}
