package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

func TestChosenColumns(t *testing.T) {
	flags := []string{"--local", "192.0.2.77"} // nobody's
	for _, tt := range []struct{ flag, want string }{
		{"peer,keepalive,next", "PEER  KEEPALIVE  NEXT"},
		{"NEXT,Peer", "NEXT  PEER"},
		{"keepalive,idle,user-timeout", "KEEPALIVE  IDLE  USER-TIMEOUT"},
	} {
		_, out, errs := command(append([]string{"ls", "--columns", tt.flag}, flags...)...)
		assert.Equal(t, tt.want+"\n", out, errs)
	}
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"ls --columns peeer", []string{`--columns "peeer": want some of state, local, peer, keepalive, idle`, `did you mean peer`}},
		{"ls --columns zzz", []string{`--columns "zzz": want some of state, local`}},
		{"ls --columns=", []string{`--columns is empty: want a value`}},
		{"ls --columns proc", []string{`did you mean process`}},
		{"ls --columns peer --wide", []string{"--wide and --columns exclude each other"}},
		{"ls --columns peer --json", []string{"--columns and --json exclude each other"}},
		{"ls --wide --ss", []string{"--wide and --ss exclude each other"}},
		{"ls --no-process --columns process", []string{"--columns process", "--no-process"}},
		{"watch --columns x", []string{`--columns "x"`}},
	} {
		code, out, errs := command(strings.Fields(tt.line)...)
		assert.Equal(t, exit.Usage, code, tt.line)
		assert.Empty(t, out, tt.line)
		for _, want := range tt.want {
			assert.Contains(t, errs, want, tt.line)
		}
	}
	_, names, _ := command("__complete", "ls", "--columns", "")
	assert.Contains(t, names, "user-timeout\n")
}
