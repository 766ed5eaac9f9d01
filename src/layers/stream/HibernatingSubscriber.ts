import { askBack } from "./feed.ts"
import type { Connection, Greeting } from "./Subscriptions.ts"
import type { Connected } from "./room.ts"

/** `WebSocket.OPEN`, which the platform names otherwise. */
const open = 1

/** What is kept with an accepted socket. */
export const connectionOf = (socket: WebSocket): Connection =>
  // SAFETY: every accepted socket was given this attachment.
  socket.deserializeAttachment() as Connection

/**
 * A subscriber on a hibernating WebSocket; its position is kept in the attachment.
 *
 * The platform shows no sign that the peer reads: there is no `bufferedAmount`, `send` never waits or throws,
 * pings are answered without us, and what is not read waits in memory, behind which even a close frame queues.
 * Measured in local workerd, two things prove that everything was read: the answer to our close frame, and
 * sleep, because an object with unsent messages does not hibernate. So what a connection owes is counted in
 * memory and begins at 0 with the object.
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

  /** Who reads here, and how far it was sent the log: it outlives hibernation with the socket. */
  get connection(): Connection {
    return { ...this.greeting, position: this.current }
  }

  send(frame: Uint8Array): void {
    if (!this.isOpen) return
    this.sent += frame.byteLength
    this.socket.send(frame)
  }

  close(code: number, reason: string): void {
    if (this.closedAt !== undefined) return
    this.closedAt = Date.now()
    this.socket.close(code, reason)
  }

  letGo(): void {
    askBack(this)
  }

  /** The peer has answered our close frame or is gone: nothing waits for it any more. */
  gone(): void {
    this.close(1000, "")
    this.sent = 0
  }
}
