// Package proc finds processes in /proc, and what it shows of them (Linux).
package proc
