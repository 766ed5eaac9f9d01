// The PLC directory server of @did-plc/server over its in-memory database; sends its port to the parent process.
import { holding } from "./holding.ts"
import { loopback } from "./loopback.ts"
import module from "node:module"
import type { AddressInfo } from "node:net"
import server from "@did-plc/server"

loopback()
holding()
const { PlcServer, Database } = server
const plc = PlcServer.create({ db: Database.mock(), port: 0 })
const listening = await plc.start()
// Tests kill this process, which would write the cache at its end.
module.flushCompileCache?.()
// SAFETY: it listens on a port.
const { port } = listening.address() as AddressInfo
process.send?.({ url: `http://127.0.0.1:${port}` })
// The parent process is gone, so nobody else would end this one.
process.once("disconnect", () => process.exit(0))
