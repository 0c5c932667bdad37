package conffile

import (
	"strings"
)

// readCompose reads the sysctls of services: a mapping, or a list of name=value.
// https://docs.docker.com/reference/compose-file/services/#sysctls
func readCompose(s *source) error {
	trees, err := s.trees()
	if err != nil {
		return err
	}
	for _, n := range trees {
		services := n.get("services")
		if services == nil || services.fields == nil {
			return wrong(s.at(n.line), "services, a mapping")
		}
		s.mentions(services, "")
		if list := n.get("sysctls"); list != nil {
			s.remark(s.at(list.line), Ignored, "sysctls belong into a service: Compose refuses them beside services")
		}
		for _, name := range services.keys {
			service := services.fields[name]
			s.misspeltSysctls(service)
			if list := service.get("sysctls"); list != nil {
				s.composeSysctls(service, list, name)
			} else {
				s.implied(sysctlsOf(s.at(service.line), "sockets in service "+name))
			}
			if e := service.get("extends"); e != nil {
				s.remark(s.at(e.line), Unread, "service %s extends another one, whose sysctls were not looked at: give what docker compose config prints", name)
			}
		}
		if i := n.get("include"); i != nil {
			s.remark(s.at(i.line), Unread, "include was not looked at: give what docker compose config prints")
		}
	}
	return nil
}

func (s *source) composeSysctls(service, list *node, name string) {
	l := sysctlsOf(s.at(list.line), "sockets in service "+name)
	l.refusal = "the container does not start"
	any := false
	for _, key := range list.keys {
		v := list.fields[key]
		any = l.set(key, v.text, origin{s.at(v.line), key + ": " + v.text}) || any
	}
	for _, item := range list.items {
		key, text, _ := strings.Cut(item.text, "=")
		any = l.set(strings.TrimSpace(key), strings.TrimSpace(text), origin{s.at(item.line), item.text}) || any
	}
	if !any {
		s.implied(l)
		return
	}
	if mode := service.str("network_mode"); mode == "host" {
		l.remark(s.at(list.line), Refused, "sysctls of net.* are refused together with network_mode: host: the container does not start")
	} else if strings.HasPrefix(mode, "service:") || strings.HasPrefix(mode, "container:") {
		l.remark(s.at(list.line), Refused, "sysctls of net.* are refused together with network_mode: %s: they belong to the container that owns the network", mode)
	}
	s.addSysctls(l)
}
