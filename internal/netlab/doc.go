// Package netlab builds throw-away networks for tests: network namespaces that
// only file descriptors of this process hold, so that they are gone with it,
// however it ends.
package netlab
