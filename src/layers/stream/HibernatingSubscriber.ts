import { askBack } from "./feed.ts"
import type { Connection, Greeting } from "./Subscriptions.ts"
import type { Connected } from "./room.ts"

/** `WebSocket.OPEN`, which the platform names differently. */
const open = 1

/** The attachment of an accepted socket. */
export const connectionOf = (socket: WebSocket): Connection =>
  // SAFETY: every accepted socket gets this attachment.
  socket.deserializeAttachment() as Connection

/**
 * A subscriber on a hibernating WebSocket; its position is in the attachment.
 *
 * The platform doesn't show whether the peer reads: there is no `bufferedAmount`, `send` never
 * waits or throws, pings are answered automatically, and unread messages wait in memory, with even
 * a close frame queued behind them. Measured in local workerd, two things prove that everything was
 * read: the reply to our close frame, and hibernation, because an object with unsent messages does
 * not hibernate. So the bytes that a connection owes are counted in memory, from 0 when the object
 * wakes.
 */
export class HibernatingSubscriber implements Connected {
  closedAt: number | undefined
  private readonly socket: WebSocket
  private readonly greeting: Greeting
  private sent = 0
  private current: number | "live"

  private constructor(socket: WebSocket, { position, ...greeting }: Connection) {
    this.socket = socket
    this.greeting = greeting
    this.current = position
  }

  /** The subscriber of a newly accepted socket. */
  static accepted(socket: WebSocket, greeting: Greeting): HibernatingSubscriber {
    const subscriber = new HibernatingSubscriber(socket, { position: "live", ...greeting })
    subscriber.position = "live"
    return subscriber
  }

  /** The subscriber of a socket that hibernated. */
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

  get isOpen(): boolean {
    return this.closedAt === undefined && this.socket.readyState === open
  }

  get owed(): number {
    return this.sent
  }

  get since(): number {
    return this.greeting.since
  }

  get network(): string | undefined {
    return this.greeting.network
  }

  /** The reader, and how far the log was sent to it; survives hibernation with the socket. */
  get connection(): Connection {
    return { ...this.greeting, position: this.current }
  }

  send(frame: Uint8Array): void {
    if (this.closedAt !== undefined) return
    this.sent += frame.byteLength
    try {
      this.socket.send(frame)
    } catch (cause) {
      // The peer is closing it. Asking each socket first would cost every event more.
      if (this.isOpen) throw cause
    }
  }

  close(code: number, reason: string): void {
    if (this.closedAt !== undefined) return
    this.closedAt = Date.now()
    this.socket.close(code, reason)
  }

  letGo(): void {
    askBack(this)
  }

  /** The peer replied to our close frame or is gone, so nothing waits for it. */
  gone(): void {
    this.close(1000, "")
    this.sent = 0
  }
}
