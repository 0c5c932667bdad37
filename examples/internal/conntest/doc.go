// Package conntest holds the connections of this module against
// golang.org/x/net/nettest, which the library itself may not require.
package conntest
