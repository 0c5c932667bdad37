package conffile

import (
	"strconv"
	"strings"
	"time"
)

// envoyIdle is after what silence Envoy ends a connection where nobody says otherwise:
// idle_timeout of HttpProtocolOptions and of TcpProxy. Istio takes it over.
const envoyIdle = time.Hour

// envoyCloses reads the idle timeouts below a value of Envoy, of which the shortest counts.
func (s *source) envoyCloses(l *leg, n *node) {
	timeouts := idleTimeouts(n, "")
	for _, t := range timeouts {
		o := origin{s.at(t.line), t.key + ": " + t.text}
		number, ok := strings.CutSuffix(t.text, "s")
		seconds, err := strconv.ParseFloat(number, 64)
		switch {
		case isVariable(t.text):
			l.remark(o.Place, Unread, "%s: after what silence Envoy itself ends a connection depends on a variable, whose value is not known here", o.text)
		case !ok || err != nil || !(seconds >= 0):
			l.remark(o.Place, Refused, "%s: want a duration such as 300s: Envoy rejects it", o.text)
		case seconds > 0: // 0s is never
			l.closes(Closing{After: time.Duration(min(seconds, maxClosing.Seconds()) * float64(time.Second)), Text: o.of()})
		}
	}
	if len(timeouts) == 0 {
		l.closes(Closing{After: envoyIdle, Text: "idle_timeout, Envoy's default"})
	}
}

// A namedNode is a value and its name.
type namedNode struct {
	*node
	key string
}

// idleTimeouts returns the idle timeouts below a value of that name.
func idleTimeouts(n *node, key string) (list []namedNode) {
	if n.scalar && (key == "idle_timeout" || key == "idleTimeout") {
		return []namedNode{{n, key}}
	}
	for _, k := range n.keys {
		list = append(list, idleTimeouts(n.fields[k], k)...)
	}
	for _, item := range n.items {
		list = append(list, idleTimeouts(item, key)...)
	}
	return list
}
