/** A program: importing it starts the server. */
declare const nothing: undefined
export default nothing
