package conffile

import (
	"strconv"
	"strings"

	"github.com/tcpkeepalive/keepalive/platform"
)

// istio reads the tcpKeepalive of a DestinationRule: durations of protobuf, "7200s".
// https://istio.io/latest/docs/reference/config/networking/destination-rule/
func (s *source) istio(n *node, name string) {
	before := len(s.doc.Legs)
	s.istioPool(n, n, name)
	if len(s.doc.Legs) == before {
		l := newLeg(s.at(n.line), "Envoy", "connections of "+name, envoyRefusal)
		l.turn(off, origin{})
		l.offWhy = "Istio does not switch it on, unless the configuration of the mesh does"
		l.Implied = true
		s.envoyCloses(l, n)
		s.add(l)
	}
}

// istioPool reads a value below the settings of a pool of connections.
func (s *source) istioPool(pool, n *node, name string) {
	if k := n.get("tcpKeepalive"); k != nil {
		l := newLeg(s.at(k.line), "Envoy", "connections of "+name, envoyRefusal)
		l.turn(on, origin{s.at(k.line), "tcpKeepalive"})
		for _, key := range k.keys {
			v := k.fields[key]
			at := origin{s.at(v.line), key + ": " + v.text}
			option, known := map[string]platform.Option{"time": platform.Idle, "interval": platform.Interval, "probes": platform.Count}[key]
			text := v.text
			if known && option != platform.Count {
				seconds, isDuration := strings.CutSuffix(text, "s")
				if !isDuration {
					l.remark(at.Place, Refused, "%s: want a duration such as 300s: the API server refuses it", at.text)
					continue
				}
				text = seconds
			}
			number, err := strconv.ParseInt(text, 10, 64)
			switch {
			case !known:
				l.remark(at.Place, UnknownWord, "%s: tcpKeepalive has time, interval and probes", key)
			case err != nil:
				l.remark(at.Place, Refused, "%s: want a whole number of seconds", at.text)
			case number > 0:
				l.set(option, number, option != platform.Count, at)
			}
		}
		s.envoyCloses(l, pool)
		s.add(l)
	}
	for _, c := range n.children() {
		s.istioPool(n, c, name)
	}
}
