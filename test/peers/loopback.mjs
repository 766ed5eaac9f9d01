// The peers would listen on every address of the machine; here only on 127.0.0.1.
import net from "node:net"

/** From now on every server of this process listens on 127.0.0.1. */
export const loopback = () => {
  const { listen } = net.Server.prototype
  net.Server.prototype.listen = function (port, ...rest) {
    return typeof port === "number"
      ? listen.call(
          this,
          { port, host: "127.0.0.1" },
          ...rest.filter((one) => typeof one !== "string")
        )
      : listen.call(this, port, ...rest)
  }
}
