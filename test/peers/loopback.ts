import net, { type Server } from "node:net"

type Listen = (this: Server, ...given: ReadonlyArray<unknown>) => Server

/** From now on every server of this process listens on 127.0.0.1; the peers would on every address. */
export const loopback = (): void => {
  // SAFETY: any of its forms is passed on.
  const listen = net.Server.prototype.listen as Listen
  const listenHere: Listen = function (port, ...rest) {
    return typeof port === "number"
      ? listen.call(
          this,
          { port, host: "127.0.0.1" },
          ...rest.filter((one) => typeof one !== "string")
        )
      : listen.call(this, port, ...rest)
  }
  net.Server.prototype.listen = listenHere
}
