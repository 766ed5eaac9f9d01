import * as Effect from "effect/Effect"
import { refuseTooSlow } from "./feed.ts"
import type { Connection, Greeting } from "./Subscriptions.ts"
import type { Connected } from "./room.ts"

/** A socket that reports when the system has sent a frame: one of `ws`, or a test's. */
export interface MemorySocket {
  send(frame: Uint8Array, sent: () => void): void
  close(code: number, reason: string): void
}

/**
 * Unsent bytes of a consumer: a live one with more is closed, a replay continues below the lower
 * limit.
 */
const waiting = { most: 16_000_000, replay: 256_000 }

/** A subscriber on a socket with visible backpressure. */
export class SocketSubscriber implements Connected {
  position: number | "live" = "live"
  closedAt: number | undefined
  private readonly socket: MemorySocket
  private readonly greeting: Greeting
  private waiting = 0
  private resume: (() => void) | undefined

  constructor(socket: MemorySocket, greeting: Greeting) {
    this.socket = socket
    this.greeting = greeting
  }

  /** The reader, and how far the log was sent to it. */
  get connection(): Connection {
    return { ...this.greeting, position: this.position }
  }

  get isOpen(): boolean {
    return this.closedAt === undefined
  }

  get owed(): number {
    return this.waiting
  }

  get since(): number {
    return this.greeting.since
  }

  get network(): string | undefined {
    return this.greeting.network
  }

  send(frame: Uint8Array): void {
    if (!this.isOpen) return
    const wasBelow = this.waiting <= waiting.most
    this.waiting += frame.byteLength
    this.socket.send(frame, () => this.taken(frame.byteLength))
    // The error frame itself doesn't get here again.
    if (wasBelow && this.waiting > waiting.most) refuseTooSlow(this)
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return
    this.gone()
    this.socket.close(code, reason)
  }

  /** Here it is known that the consumer does not read. */
  letGo(): void {
    refuseTooSlow(this)
  }

  /** The stream has ended, from either side. */
  gone(): void {
    this.closedAt ??= Date.now()
    this.resume?.()
  }

  /** Completes when the consumer has taken most of what was sent, or is gone. */
  readonly drained: Effect.Effect<void> = Effect.callback<void>((resume) => {
    this.resume = () => resume(Effect.void)
    this.taken(0)
  })

  private taken(bytes: number): void {
    this.waiting -= bytes
    if (!this.isOpen || this.waiting <= waiting.replay) this.resume?.()
  }
}
