import { refuseTooSlow, type Subscriber } from "./feed.ts"
import type { Connection, Greeting } from "./Readers.ts"

/**
 * What a connection may be sent before it has proven that it reads.
 *
 * The platform gives no such sign for a socket of an object: there is no `bufferedAmount`, `send` never
 * waits or throws, protocol pings are answered without us, and what the consumer has not read waits in
 * memory, behind which even a close frame queues (measured in local workerd with a client that stops
 * reading: it gives no memory back before the connection ends). One thing proves that everything was
 * read: an object with unsent messages does not hibernate, so one that has been made anew has none. The counts therefore live in memory and begin at 0 with the object.
 *
 * - `each`: a connection that was sent so many bytes since then is closed as too slow, and may resume at
 *   its cursor. This bounds what one paused consumer holds, with no assumption.
 * - `together`: replays pause while all connections may hold so much, on the assumption that each reads
 *   at least `drain` bytes a second.
 */
export const unread = { each: 96_000_000, together: 128_000_000, drain: 8_000_000 }

/** `WebSocket.OPEN`, which the platform names otherwise. */
const open = 1

/** What is kept with an accepted socket. */
export const connectionOf = (socket: WebSocket): Connection =>
  // SAFETY: every accepted socket was given this attachment.
  socket.deserializeAttachment() as Connection

/** A subscriber on a hibernating WebSocket; its position is kept in the attachment. */
export class HibernatingSubscriber implements Subscriber {
  private readonly socket: WebSocket
  private readonly greeting: Greeting
  private closed = false
  private sent = 0
  private pending = 0
  private pendingAt = 0
  private current: number | "live"

  private constructor(socket: WebSocket, { position, ...greeting }: Connection) {
    this.socket = socket
    this.greeting = greeting
    this.current = position
  }

  /** The subscriber of a socket that was just accepted. */
  static accepted(socket: WebSocket, greeting: Greeting): HibernatingSubscriber {
    const subscriber = new HibernatingSubscriber(socket, { position: "live", ...greeting })
    subscriber.position = "live"
    return subscriber
  }

  /** The subscriber of a socket that slept. */
  static woken(socket: WebSocket): HibernatingSubscriber {
    return new HibernatingSubscriber(socket, connectionOf(socket))
  }

  get position(): number | "live" {
    return this.current
  }

  set position(position: number | "live") {
    this.current = position
    this.socket.serializeAttachment(this.connection)
  }

  /** True while frames can be sent. */
  get isOpen(): boolean {
    return !this.closed && this.socket.readyState === open
  }

  /** Who reads here, and how far it was sent the log: it outlives hibernation with the socket. */
  get connection(): Connection {
    return { ...this.greeting, position: this.current }
  }

  send(frame: Uint8Array): void {
    if (!this.isOpen) return
    this.sent += frame.byteLength
    this.pending += frame.byteLength
    this.socket.send(frame)
    if (this.sent > unread.each) {
      // The error frame itself must not come here again.
      this.sent = 0
      refuseTooSlow(this)
    }
  }

  close(code: number, reason: string): void {
    if (this.closed) return
    this.closed = true
    this.socket.close(code, reason)
  }

  /** The bytes that may wait to be read, if the consumer reads at the assumed rate. */
  mayWait(now: number): number {
    this.pending = Math.max(0, this.pending - ((now - this.pendingAt) / 1000) * unread.drain)
    this.pendingAt = now
    return this.pending
  }
}
