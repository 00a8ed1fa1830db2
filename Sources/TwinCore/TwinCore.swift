/// The reference pair's protocol.
package enum TwinCore {}
