import { type MockNetwork, startMockNetwork } from "./mockNetwork.ts"
import { startWorld, type World } from "../http/httpWorld.ts"

/** A host with people, and the services that their apps use. */
export interface MockWorld extends World {
  readonly services: MockNetwork
}

/** Publishes a did:web's document with these services. */
export const publish = (
  { network }: World,
  name: string,
  services: Readonly<Record<string, string>>
): string => {
  const did = `did:web:${name}`
  network.web.set(`https://${name}/.well-known/did.json`, () =>
    Response.json({
      id: did,
      service: Object.entries(services).map(([fragment, serviceEndpoint]) => ({
        id: `#${fragment}`,
        type: "TestService",
        serviceEndpoint
      }))
    })
  )
  return did
}

/** Starts the services, and a host that uses them. */
export const startMockWorld = async (
  env: Readonly<Record<string, string>> = {}
): Promise<MockWorld> => {
  const services = await startMockNetwork()
  const world = await startWorld({ ...services.env, ...env })
  for (const { url } of services.all) world.network.servers.add(url)
  return {
    ...world,
    services,
    close: async () => {
      await world.close()
      await services.close()
    }
  }
}
