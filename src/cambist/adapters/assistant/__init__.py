"""Language models behind any interface that speaks as OpenAI's does: OpenRouter, Ollama, and others."""
