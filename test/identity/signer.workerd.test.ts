import { signerContracts } from "./signer.contract.ts"

// workerd has other implementations of the curves and AES than Node.
signerContracts()
