/** Imported first by every script: says what to do when an older Node runs it. */
if (Number(process.versions.node.split(".")[0]) < 22) {
  console.error(
    `Nacre's scripts need Node 22 or newer, this is ${process.version}.\n` +
      "Use them through npm (npm start, npm run bench, …), which takes the Node that npm installed,\n" +
      `or run: node_modules/.bin/node ${process.argv.slice(1).join(" ")}`
  )
  process.exit(1)
}
