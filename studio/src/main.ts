import { mount } from 'svelte';
import { configure } from './api/client';
import App from './app.svelte';
import { prefs } from './app/prefs.svelte';
import { who } from './app/session.svelte';
import './look/tokens.css';
import './look/base.css';

prefs.apply();
configure({
  language: () => prefs.language,
  unauthenticated: () => {
    who.session = null;
  },
});

const target = document.getElementById('app');
if (target) mount(App, { target });
