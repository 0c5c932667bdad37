package plan

import (
	"fmt"
	"io"
	"slices"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ends"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// printEnds says what each end of a path that closes idle HTTP connections has to do:
// whoever sends the requests closes first.
func printEnds(w io.Writer, r align.Request) {
	e, ok := ends.Of(r)
	if !ok || !e.HTTP {
		return
	}
	fmt.Fprintln(w, "\nidle HTTP connections: whoever sends the requests has to close first")
	if !r.Server || e.Last.ID == "" {
		if e.Client > 0 {
			fmt.Fprintf(w, "  the client closes them after %s or sooner (%s: %s):\n", duration.Format(e.Client), e.First.ID, duration.Format(e.First.Timeout))
		} else {
			fmt.Fprintf(w, "  the client closes them sooner than %s (--idle-timeout %[1]s=60s):\n", e.First.ID)
		}
		fmt.Fprintln(w, `    net/http Transport.IdleConnTimeout, Node.js Agent timeout,
    Java jdk.httpclient.keepalive.timeout, Apache HttpClient
    evictIdleConnections, nginx keepalive_timeout of an upstream,
    Envoy idle_timeout of a cluster`)
	}
	if e.Last.ID != "" {
		if e.Server > 0 {
			fmt.Fprintf(w, "  the server keeps them for %s or longer (%s: %s):\n", duration.Format(e.Server), e.Last.ID, duration.Format(e.Last.Timeout))
		} else {
			fmt.Fprintf(w, "  the server keeps them for longer than %s (--idle-timeout %[1]s=60s):\n", e.Last.ID)
		}
		fmt.Fprintln(w, `    net/http Server.IdleTimeout, Node.js keepAliveTimeout and headersTimeout,
    gunicorn keepalive, uvicorn --timeout-keep-alive, nginx keepalive_timeout,
    Envoy idle_timeout of a listener`)
	}
	for _, early := range e.Early {
		fmt.Fprintf(w, "  - %s closes them after %s, %s in front of it after %s:\n    it may send a request into that (502); let %[1]s keep them for %[5]s\n",
			early.Closer.ID, duration.Format(early.Closer.Timeout), early.Before.ID, duration.Format(early.Before.Timeout),
			duration.Format(ends.Above(early.Before.Timeout)))
	}
	fmt.Fprintln(w, "  --as writes it for: go, node, java, python, gunicorn, nginx, envoy ...")
}

// speaksHTTP reports whether the connections of a path carry HTTP, and not only may.
func speaksHTTP(r align.Request) bool {
	e, ok := ends.Of(r)
	return ok && e.HTTP && slices.ContainsFunc(r.Path, func(p align.Profile) bool { return p.Protocol == "HTTP" })
}

// An endsRecord is the JSON of what the two ends have to do with idle HTTP connections.
// null is not known.
type endsRecord struct {
	Client *float64      `json:"client_at_most_seconds"`
	First  string        `json:"first"`
	Server *float64      `json:"server_at_least_seconds"`
	Last   string        `json:"last"`
	Early  []earlyRecord `json:"early"`
}

type earlyRecord struct {
	Closer  string   `json:"closer"`
	Before  string   `json:"before"`
	AtLeast *float64 `json:"at_least_seconds"`
}

// endsOf is nil where nothing on the path closes idle HTTP connections.
func endsOf(r align.Request) *endsRecord {
	e, ok := ends.Of(r)
	if !ok || !e.HTTP {
		return nil
	}
	out := &endsRecord{Client: record.Seconds(e.Client), First: e.First.ID, Server: record.Seconds(e.Server), Last: e.Last.ID, Early: []earlyRecord{}}
	for _, early := range e.Early {
		out.Early = append(out.Early, earlyRecord{early.Closer.ID, early.Before.ID, record.Seconds(ends.Above(early.Before.Timeout))})
	}
	return out
}
