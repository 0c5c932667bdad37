// Package proc finds processes in /proc, and what of them it shows (Linux).
package proc
