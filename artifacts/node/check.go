package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	maxBody        = 64 << 10 // what fetch shows of a body
	maxRead        = 2 << 20  // what fetch reads of a body
	maxLarge       = 1 << 20
	defaultTimeout = 5 * time.Second
	maxTimeout     = 60 * time.Second
)

// resolution is the answer of /resolve.
type resolution struct {
	Addresses []string `json:"addresses"`
	Error     string   `json:"error,omitempty"`
}

// response is the answer of /fetch. Bytes counts the whole body, of which Body is the start,
// so that a body which arrives only in part is told from a short one.
type response struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Bytes  int    `json:"bytes"`
	Error  string `json:"error,omitempty"`
}

// serve answers on address until stop says otherwise.
func serve(address string, stop <-chan os.Signal) error {
	server := &http.Server{Addr: address, Handler: handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-stop:
		return server.Close()
	}
}

// handler tells, from inside a pod, what the pod sees of its cluster.
func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /name", name)
	mux.HandleFunc("GET /resolve", resolve)
	mux.HandleFunc("GET /fetch", fetch)
	mux.HandleFunc("GET /large", large)
	return mux
}

// name tells which pod answers.
func name(w http.ResponseWriter, _ *http.Request) {
	pod := os.Getenv("POD_NAME")
	if pod == "" {
		var err error
		if pod, err = os.Hostname(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	fmt.Fprint(w, pod)
}

// resolve looks a name up as any program in the pod would. A name that is not found is an
// answer, not a failure of this server.
func resolve(w http.ResponseWriter, r *http.Request) {
	host := r.URL.Query().Get("name")
	if host == "" {
		http.Error(w, "name is missing", http.StatusBadRequest)
		return
	}
	ctx, cancel, err := deadline(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		answer(w, resolution{Addresses: []string{}, Error: err.Error()})
		return
	}
	slices.Sort(addresses)
	answer(w, resolution{Addresses: addresses})
}

// fetch gets a URL from inside the pod and tells what came back, or why nothing did.
func fetch(w http.ResponseWriter, r *http.Request) {
	target, err := url.Parse(r.URL.Query().Get("url"))
	if err != nil || target.Scheme != "http" || target.Host == "" {
		http.Error(w, "url must start with http://", http.StatusBadRequest)
		return
	}
	ctx, cancel, err := deadline(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer cancel()
	answer(w, get(ctx, target))
}

// get makes one connection for one request: a kept one would hide that new ones fail. It
// follows no redirect and no proxy, which would tell about another path than the asked one.
func get(ctx context.Context, target *url.URL) response {
	client := http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return response{Error: err.Error()}
	}
	got, err := client.Do(request)
	if err != nil {
		return response{Error: err.Error()}
	}
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, maxRead))
	told := response{Status: got.StatusCode, Bytes: len(body), Body: string(body[:min(len(body), maxBody)])}
	if err != nil {
		told.Error = err.Error()
	}
	return told
}

// large sends as many bytes as asked for: a path that drops big packets passes every small
// answer and hangs on this one.
func large(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.Atoi(r.URL.Query().Get("bytes"))
	if err != nil || size < 0 || size > maxLarge {
		http.Error(w, fmt.Sprintf("bytes must be 0 to %d", maxLarge), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	// A reader that goes away is its own affair.
	_, _ = w.Write(bytes.Repeat([]byte{'x'}, size))
}

// deadline reads the query's timeout, in seconds.
func deadline(r *http.Request) (context.Context, context.CancelFunc, error) {
	timeout := defaultTimeout
	if text := r.URL.Query().Get("timeout"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		// Written so that NaN fails too.
		if err != nil || !(seconds > 0 && seconds <= maxTimeout.Seconds()) {
			return nil, nil, errors.New("timeout must be above 0 and at most 60 seconds")
		}
		timeout = time.Duration(seconds * float64(time.Second))
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	return ctx, cancel, nil
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	// The values are strings and numbers; only a reader that goes away can fail here.
	_ = json.NewEncoder(w).Encode(value)
}
