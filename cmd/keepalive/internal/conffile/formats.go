package conffile

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// pattern compiles an expression when it is needed: the other commands, which have this
// package too, start sooner.
func pattern(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// A Format is the syntax of one program's configuration.
type Format struct {
	Name, What string
	// named reports that a file of this name is in this format, by convention.
	named func() *regexp.Regexp
	// like reports that a text has something that only this format has.
	like func() *regexp.Regexp
	read func(*source) error
	// program is what reads such a file, if its name is not that of the format.
	program string
}

// comments are the characters that a line of comment starts with; those of any format if
// it is not known which.
func (fm *Format) comments() string {
	if fm == nil || fm.Name == "sysctl" || fm.Name == "systemd" {
		return "#;"
	}
	return "#"
}

// skipsMark reports whether a byte order mark is skipped: the parsers of YAML do that, and
// config_parse in systemd's src/shared/conf-parser.c. All other programs were seen to take it
// for a part of the first word.
func (fm *Format) skipsMark() bool {
	return slices.Contains([]string{"envoy", "kubernetes", "compose", "systemd"}, fm.Name)
}

// other returns the only other format that a text has something of, "" if it has something
// of this one.
func (fm *Format) other(f File) string {
	if fm.like != nil && fm.like().MatchString(f.Text) {
		return ""
	}
	found, err := recognise(File{Text: f.Text}, "")
	if err != nil || found == fm {
		return ""
	}
	return found.Name
}

// Formats lists all of them.
var Formats = []Format{
	{"nginx", "nginx.conf, or what nginx -T prints", nginxNames, nginxLike, readNginx, ""},
	{"haproxy", "haproxy.cfg", haproxyNames, haproxyLike, readHAProxy, ""},
	{"envoy", "Envoy, YAML or JSON", envoyNames, nil, readEnvoy, ""},
	{"kubernetes", "pods, and what makes pods: sysctls", nil, nil, readKubernetes, ""},
	{"compose", "Docker Compose: sysctls of services", composeNames, nil, readCompose, ""},
	{"docker", "command lines of docker run", nil, dockerLike, readDocker, ""},
	{"sysctl", "sysctl.conf and sysctl.d", sysctlNames, sysctlLike, readSysctl, ""},
	{"systemd", ".socket units and their drop-ins", systemdNames, systemdLike, readSystemd, ""},
	{"libpq", "PostgreSQL conninfo and URIs, pg_service.conf", libpqNames, libpqLike, readLibpq, ""},
	{"postgresql", "postgresql.conf", postgresqlNames, postgresqlLike, readPostgreSQL, "the server"},
	{"redis", "redis.conf, valkey.conf", redisNames, redisLike, readRedis, "redis-server"},
	{"ssh", "ssh_config, the client's", sshNames, sshLike, readSSH, ""},
	{"sshd", "sshd_config, the server's", sshdNames, sshdLike, readSSHD, ""},
}

// Names are those of the Formats.
func Names() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// CheckFormat returns an error that lists the formats if there is none of this name.
func CheckFormat(name string) error {
	if slices.Contains(Names(), name) {
		return nil
	}
	return fmt.Errorf("%q: want one of %s%s", name, strings.Join(Names(), ", "), alike.Question(alike.Nearest(name, Names())))
}

func lookup(name string) *Format {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &Formats[i]
}

// recognise finds the format of a file: the one that was asked for, the one of its name,
// or the only one that its content has something of.
func recognise(f File, asked string) (*Format, error) {
	if asked != "" {
		if err := CheckFormat(asked); err != nil {
			return nil, err
		}
		return lookup(asked), nil
	}
	var possible []string
	for _, fm := range Formats {
		if fm.named != nil && fm.named().MatchString(slashes(f.Name)) {
			return lookup(fm.Name), nil
		}
		if fm.like != nil && fm.like().MatchString(f.Text) {
			possible = append(possible, fm.Name)
		}
	}
	if kind := treeFormat(f); kind != "" && len(possible) == 0 {
		return lookup(kind), nil
	}
	if len(possible) == 1 {
		return lookup(possible[0]), nil
	}
	return nil, &notRecognisedError{f.Name, possible}
}

// slashes returns the name with slashes, whichever system the file is from.
func slashes(name string) string { return path.Clean(strings.ReplaceAll(name, `\`, "/")) }

// The names that files have by convention. Those of nginx include what Debian keeps in
// sites-enabled, without a suffix.
var (
	nginxNames      = pattern(`(^|/)nginx([^/]*\.conf|/.*\.conf)$|(^|/)sites-(enabled|available)/`)
	haproxyNames    = pattern(`(^|/)haproxy[^/]*\.(cfg|conf)$`)
	envoyNames      = pattern(`(^|/)envoy[^/]*\.(ya?ml|json)$`)
	composeNames    = pattern(`(^|/)(docker-)?compose[^/]*\.ya?ml$`)
	sysctlNames     = pattern(`(^|/)sysctl\.conf$|(^|/)sysctl\.d/[^/]*\.conf$`)
	systemdNames    = pattern(`\.socket$|\.socket\.d/[^/]*\.conf$`)
	libpqNames      = pattern(`(^|/)\.?pg_service\.conf$`)
	postgresqlNames = pattern(`(^|/)postgresql(\.auto|\.base)?\.conf$`)
	redisNames      = pattern(`(^|/)(redis|valkey)[^/]*\.conf$`)
	sshNames        = pattern(`(^|/)ssh_config$|(^|/)ssh_config\.d/[^/]*\.conf$|(^|/)\.ssh/config$`)
	sshdNames       = pattern(`(^|/)sshd_config$|(^|/)sshd_config\.d/[^/]*\.conf$`)
)

// What only these formats have at the start of a line.
var (
	nginxLike      = pattern(`(?m)^[ \t]*(http|stream|server|events|upstream[ \t]+\S+|location[ \t].*)[ \t]*\{[ \t]*(#.*)?$|^[^#\n]*\bso_keepalive=[^;\n]*;|^[^#\n]*\w_socket_keepalive[ \t]+\w+;`)
	haproxyLike    = pattern(`(?m)^[ \t]*((frontend|backend|listen)[ \t]+[^\s={};]+|(global|defaults)([ \t]+[^\s={};]+)?)[ \t\r]*(#.*)?$|^[ \t]*(option[ \t]+)?(cli|srv)?tcpka\b`)
	dockerLike     = pattern(`(?m)^[ \t$#]*(sudo[ \t]+)?(docker|podman|nerdctl)[ \t]+(container[ \t]+)?(run|create)\b`)
	sysctlLike     = pattern(`(?m)^[ \t]*-?(net|kernel|vm|fs)[./][a-z0-9_./*-]+[ \t]*=`)
	systemdLike    = pattern(`(?m)^\[Socket\][ \t\r]*$`)
	libpqLike      = pattern(`(?m)^[ \t]*((export[ \t]+)?\w+=["']?)?postgres(ql)?://|^[ \t]*(host|hostaddr|dbname|port|user|service|keepalives\w*|tcp_user_timeout)[ \t]*=[^\n]*\b(host|hostaddr|dbname|port|user|keepalives\w*|tcp_user_timeout)[ \t]*=|^[ \t]*keepalives(_\w+)?[ \t]*=`)
	postgresqlLike = pattern(`(?mi)^[ \t]*(tcp_keepalives_(idle|interval|count)|shared_buffers|max_connections|listen_addresses|client_connection_check_interval)\b`)
	redisLike      = pattern(`(?mi)^[ \t]*(tcp-keepalive|tcp-backlog|maxmemory|appendonly|protected-mode)[ \t]+\S`)
	sshLike        = pattern(`(?mi)^[ \t]*(Host[ \t]+\S|ServerAlive(Interval|CountMax)[ \t=])`)
	sshdLike       = pattern(`(?mi)^[ \t]*(ClientAlive(Interval|CountMax)|PermitRootLogin|AuthorizedKeysFile|Subsystem)[ \t=]`)
)
