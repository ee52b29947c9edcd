"""Talk to the API server with the user's kubeconfig; the official client loads on first use."""
