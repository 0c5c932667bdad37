// Package lab has no code: its tests verify on the wire what the other packages
// promise.
package lab
