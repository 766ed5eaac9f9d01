/** Imported first by every script: explains what to do on an older Node. */
if (Number(process.versions.node.split(".")[0]) < 22) {
  console.error(
    process.env.NACRE_INSTALLED === "1"
      ? `The nacre command needs Node 22 or newer, but this is ${process.version}.`
      : `Nacre's scripts need Node 22 or newer, but this is ${process.version}.\n` +
          "Run them with npm (npm start, npm run bench, …), which uses the Node it installed,\n" +
          `or run: node_modules/.bin/node ${process.argv.slice(1).join(" ")}`
  )
  process.exit(1)
}
