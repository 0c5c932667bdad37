// Package lab holds no code: its tests prove on the wire what the other packages
// promise.
package lab
